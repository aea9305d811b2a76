/** The data folder: made at the first start, for this user only, with the secrets in a folder of their own. */
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RandomBytes } from '@sealwire/crypto/port';
import { openOrExplain } from '@sealwire/service/boot';
import { ConfigError } from '@sealwire/service/config';
import { loadOrCreateSecret } from '@sealwire/service/secret-file';
import { openStore } from '@sealwire/store/open';
import type { Store } from '@sealwire/store/port';

const KEY_BYTES = 32;

export interface DataFolder {
  readonly path: string;
  /** Signs the access tokens; made at the first start. */
  readonly tokenKey: Uint8Array;
  /** Seals app passwords and vouches for nonces; made at the first start. */
  readonly appPasswordKey: Uint8Array;
}

/** Throws `ConfigError` when the folder cannot be used, with the fix. */
export function openDataFolder(folder: string, random: RandomBytes): DataFolder {
  const path = resolve(folder);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (!statSync(path).isDirectory()) throw Object.assign(new Error('a file'), { code: 'EEXIST' });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw folderError(path, (error as NodeJS.ErrnoException).code);
  }
  return {
    path,
    tokenKey: loadOrCreateSecret(join(path, 'secrets', 'token.key'), KEY_BYTES, random),
    appPasswordKey: loadOrCreateSecret(join(path, 'secrets', 'app-passwords.key'), KEY_BYTES, random),
  };
}

/** The embedded store in the data folder. Rejects with `ConfigError` when it cannot be opened. */
export function openEmbeddedStore(folder: DataFolder): Promise<Store> {
  return openOrExplain('DATA_DIR', () => openStore(`lmdb:${join(folder.path, 'store')}`));
}

function folderError(path: string, code: string | undefined): ConfigError {
  const another = 'choose another folder with --data-dir';
  if (code === 'EEXIST' || code === 'ENOTDIR') return new ConfigError('DATA_DIR', `${path} is no folder`, another);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new ConfigError('DATA_DIR', `${path} is not writable for this user`, `give it the right, or ${another}`);
  if (code === 'ENOSPC')
    return new ConfigError('DATA_DIR', `there is no space left for ${path}`, `free some, or ${another}`);
  return new ConfigError('DATA_DIR', `${path} cannot be used (${code})`, another);
}
