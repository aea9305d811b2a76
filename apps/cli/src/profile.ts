/**
 * One profile a user: a folder (0700) with the key header, the sealed store, and a note of where the account lives.
 *
 *   ~/.local/share/sealwire/alice/profile.json   server and address; nothing secret
 *                                 keys.json      how the passphrase opens the store (key-store.ts)
 *                                 store/         keys, ratchets, outbox, inbox: sealed records (packages/client)
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivate } from '@sealwire/client/node/private-mode';
import { typedName } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import { z } from 'zod';
import { CliError } from './exit-codes.ts';

export interface Profile {
  readonly user: string;
  readonly folder: string;
  readonly keysFile: string;
  readonly storeFolder: string;
}

const Note = z.object({ server: z.string(), address: z.string() });
export type ProfileNote = z.output<typeof Note>;

export function profileOf(profiles: string, user: string): Profile {
  let name: string;
  try {
    name = typedName(user);
  } catch (error) {
    if (error instanceof WireError) throw new CliError('usage', `"${user}": ${error.message}`);
    throw error;
  }
  const folder = join(profiles, name);
  return { user: name, folder, keysFile: join(folder, 'keys.json'), storeFolder: join(folder, 'store') };
}

/** Users that have keys here, in alphabetical order. */
export function existingUsers(profiles: string): string[] {
  if (!existsSync(profiles)) return [];
  return readdirSync(profiles)
    .filter((name) => existsSync(join(profiles, name, 'keys.json')))
    .sort();
}

/**
 * Whose keys to use: the one named (flag, environment, configuration), else the only one there is, else the operating system's user.
 * Keys whose registration was not finished count only where there are no others. Throws `CliError` (`usage`) when there are several and
 * none is named.
 */
export function chooseUser(profiles: string, named: string | undefined, osUser: string): string {
  if (named !== undefined) return named;
  const all = existingUsers(profiles);
  const registered = all.filter((user) => readNote(profileOf(profiles, user)));
  const users = registered.length > 0 ? registered : all;
  if (users.length > 1)
    throw new CliError(
      'usage',
      `there are keys of ${users.join(', ')} here: say whose with -u, for example -u ${users[0]}`,
    );
  return users[0] ?? osUser;
}

/** Throws `CliError` (`usage`) with the command that makes the keys. */
export function requireProfile(profile: Profile): void {
  if (existsSync(profile.keysFile)) return;
  throw new CliError(
    'usage',
    `there are no keys of ${profile.user} here: run \`sealwire register -u ${profile.user}\``,
  );
}

/** Makes the folder; also closes one that was left open to others, where the file system can. */
export function makeProfileFolder(profile: Profile): void {
  try {
    mkdirSync(profile.folder, { recursive: true, mode: 0o700 });
    makePrivate(profile.folder, 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CliError(
      'usage',
      `${profile.folder} cannot be made (${code}): check the permissions, or set XDG_DATA_HOME`,
    );
  }
}

export function removeProfileFolder(profile: Profile): void {
  rmSync(profile.folder, { recursive: true, force: true });
}

export function writeNote(profile: Profile, note: ProfileNote): void {
  writeFileSync(join(profile.folder, 'profile.json'), `${JSON.stringify(note)}\n`, { mode: 0o600 });
}

/** Undefined when there is none or it is not readable: it is a convenience, the store knows better. */
export function readNote(profile: Profile): ProfileNote | undefined {
  try {
    return Note.parse(JSON.parse(readFileSync(join(profile.folder, 'profile.json'), 'utf8')));
  } catch {
    return undefined;
  }
}
