/** Secrets that a server makes for itself at first start: a file of base64url, readable by its owner only. */
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { RandomBytes } from '@sealwire/crypto/port';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { ConfigError } from './config.ts';

/** Reads `file`, or makes it with `length` random bytes. As `loadOrCreateSecretText`. */
export function loadOrCreateSecret(file: string, length: number, random: RandomBytes): Uint8Array {
  const text = loadOrCreateSecretText(file, random, () => encodeBase64url(random(length)));
  try {
    const bytes = decodeBase64url(text);
    if (bytes.length === length) return bytes;
  } catch {
    // One message for every kind of damage; it must not quote the content.
  }
  throw new ConfigError(
    file,
    `does not hold ${length} bytes in base64url`,
    'restore it from a backup; a new one ends every login',
  );
}

/**
 * Reads `file`, or makes it with the text of `make`. Two processes that start together end up with the same secret, and a crash
 * leaves the whole file or none: the bytes are synced under another name, and `link` gives them the real one only if it is free.
 * Throws `ConfigError` when the file is readable by others, or cannot be made.
 */
export function loadOrCreateSecretText(file: string, random: RandomBytes, make: () => string): string {
  try {
    return read(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const draft = `${file}.${encodeBase64url(random(9))}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const descriptor = openSync(draft, 'wx', 0o600);
    try {
      writeSync(descriptor, `${make().trim()}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    linkSync(draft, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST')
      throw new ConfigError(file, `cannot be written (${code})`, 'give this user the right to write in that folder');
  } finally {
    rmSync(draft, { force: true });
  }
  return read(file);
}

function read(file: string): string {
  const text = readFileSync(file, 'utf8').trim();
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0)
    throw new ConfigError(file, 'is readable by other users of this machine', `run: chmod 600 ${file}`);
  return text;
}
