/** Are the keys there, whole, and nobody else's business? */
import { existsSync, lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { endingOf } from '../exit-codes.ts';
import { protectionOf } from '../key-store.ts';
import { existingUsers, type Profile } from '../profile.ts';
import type { Finding } from './finding.ts';

export function* checkKeys(profile: Profile): Generator<Finding> {
  const { user, folder, keysFile, storeFolder } = profile;
  if (!existsSync(keysFile)) {
    const others = existingUsers(dirname(folder));
    const fix = `run sealwire register -u ${user}${others.length ? `, or say whose keys: -u ${others[0]}` : ''}`;
    return yield { name: 'keys', detail: `there are no keys of ${user} in ${folder}`, fix };
  }
  try {
    const protection = protectionOf(keysFile);
    yield { name: 'keys', detail: `${keysFile} (${protection === 'none' ? 'not encrypted' : 'passphrase, argon2id'})` };
  } catch (error) {
    const fix =
      endingOf(error) === 'damaged' ? 'restore this file, and no other, from a backup' : 'check its permissions';
    yield { name: 'keys', detail: `${keysFile} cannot be read`, fix };
  }
  for (const path of [folder, keysFile, storeFolder].filter(existsSync)) yield modeOf(path);
}

function modeOf(path: string): Finding {
  const status = lstatSync(path);
  const mode = (status.mode & 0o777).toString(8).padStart(4, '0');
  if (process.platform === 'win32' || (status.mode & 0o077) === 0)
    return { name: 'access', detail: `${path} (${mode})` };
  const wanted = status.isDirectory() ? '700' : '600';
  return {
    name: 'access',
    detail: `${path} is open to other users (${mode})`,
    fix: `run chmod ${wanted} ${path}; where that changes nothing (exFAT, a share), mount it with umask=077`,
  };
}
