/** The data folder: made at the first start, for this user only, with the secrets in a folder of their own. */
import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RandomBytes } from '@sealwire/crypto/port';
import { openOrExplain } from '@sealwire/service/boot';
import { ConfigError } from '@sealwire/service/config';
import { loadOrCreateSecret } from '@sealwire/service/secret-file';
import { openStore } from '@sealwire/store/open';
import type { OpenTerms, Store } from '@sealwire/store/port';

const KEY_BYTES = 32;
export const SECRETS = ['token.key', 'app-passwords.key', 'directory.key'];

export interface DataFolder {
  readonly path: string;
  readonly store: Store;
  /** Signs the access tokens; made at the first start. */
  readonly tokenKey: Uint8Array;
  /** Seals app passwords and vouches for nonces; made at the first start. */
  readonly appPasswordKey: Uint8Array;
  /** Signs what the key directory answers; made at the first start. */
  readonly signingKey: Uint8Array;
}

/** Where the embedded store of a data folder is. */
export function storeIn(folder: string): string {
  return join(resolve(folder), 'store');
}

/** Where the encrypted files of a data folder are, unless they lie elsewhere. */
export function blobsIn(folder: string): string {
  return join(resolve(folder), 'blobs');
}

/** Where the key of the NES provider is, once that was on. */
export function nesKeyIn(folder: string): string {
  return join(resolve(folder), 'secrets', 'nes-key.pem');
}

/** Rejects with `ConfigError` when the folder cannot be used, or the store in it cannot be opened, with the fix. */
export async function openDataFolder(folder: string, random: RandomBytes, terms: OpenTerms = {}): Promise<DataFolder> {
  const path = resolve(folder);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (!statSync(path).isDirectory()) throw Object.assign(new Error('a file'), { code: 'EEXIST' });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw folderError(path, (error as NodeJS.ErrnoException).code);
  }
  const [tokenKey, appPasswordKey, signingKey] = SECRETS.map((name) => join(path, 'secrets', name)) as [
    string,
    string,
    string,
  ];
  const secret = (file: string) => loadOrCreateSecret(file, KEY_BYTES, random);
  if (existsSync(tokenKey)) {
    secret(tokenKey);
    refuseLostStore(path, tokenKey);
  }
  // First: who has secrets had a store.
  const store = await openOrExplain('DATA_DIR', () => openStore(`lmdb:${storeIn(path)}`, terms));
  try {
    return {
      path,
      store,
      tokenKey: secret(tokenKey),
      appPasswordKey: secret(appPasswordKey),
      signingKey: secret(signingKey),
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Else it would begin anew, with nothing, and nobody would see why. */
function refuseLostStore(path: string, secret: string): void {
  const file = join(storeIn(path), 'data.mdb');
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0) return;
  throw new ConfigError(
    'DATA_DIR',
    `${file} is missing or empty, but ${secret} is there`,
    `restore the folder from a backup, or empty ${path} to begin anew, with nothing`,
  );
}

/** What an error code of `node:fs` says about a folder. */
export function folderError(path: string, code: string | undefined): ConfigError {
  const another = 'choose another folder with --data-dir';
  if (code === 'EEXIST' || code === 'ENOTDIR') return new ConfigError('DATA_DIR', `${path} is no folder`, another);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new ConfigError('DATA_DIR', `${path} is not writable for this user`, `give it the right, or ${another}`);
  if (code === 'ENOSPC')
    return new ConfigError('DATA_DIR', `there is no space left for ${path}`, `free some, or ${another}`);
  return new ConfigError('DATA_DIR', `${path} cannot be used (${code})`, another);
}
