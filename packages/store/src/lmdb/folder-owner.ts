/**
 * One process owns an embedded folder (docs/adr/0017-one-process-owns-an-embedded-folder.md).
 *
 * Who wants the folder shows a Unix domain socket in it, `owner.PID.RANDOM.sock`, and only then
 * looks for those of others. Of two, the one that came second therefore sees the first. A socket
 * that refuses a connection is a dead process's, whatever its id says (process ids come again, and
 * mean nothing in another container): it is removed, which is safe at any time, because its name is
 * never used again. Of two that see each other before either has won, the smaller name goes on: the
 * larger one gives up, the smaller one waits until it has.
 *
 * A socket gets its name when it already listens. Between bind and listen a living one would
 * refuse.
 */
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { systemRandom } from '@sealwire/crypto/random';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { StoreError } from '../port.ts';

const SOCKET = /^owner\.(\d+)\.[\w-]+\.sock$/;
const RANDOM_BYTES = 9;
/** Of a socket that has no name yet, with the largest process id of Linux. */
const LONGEST_NAME = `.owner.4194304.${'x'.repeat((RANDOM_BYTES * 4) / 3)}.sock`;
/** What a socket address holds (`sun_path` of unix(7), and of macOS). */
const ADDRESS_BYTES = process.platform === 'linux' ? 107 : 103;
/** A process that is busy, or stopped, answers late. It lives all the same. */
const PATIENCE_MS = 2_000;

export interface FolderOwner {
  /** Call it when the folder's files are closed. Idempotent. */
  release(): void;
}

/**
 * Rejects with `StoreError` `unavailable` when a living process has `folder`; with what `node:fs`
 * throws.
 */
export function ownFolder(folder: string): Promise<FolderOwner> {
  return process.platform === 'win32' ? ownByPipe(folder) : ownBySocket(folder);
}

async function ownBySocket(path: string): Promise<FolderOwner> {
  const folder = resolve(path);
  const name = `owner.${process.pid}.${encodeBase64url(systemRandom(RANDOM_BYTES))}.sock`;
  const addresses = addressesIn(folder);
  const asked = new Set<Socket>();
  let owns = false;

  const server = createServer((socket) => {
    socket.on('error', () => {}).unref();
    if (owns) return void socket.end('owned');
    asked.add(socket);
    socket.on('close', () => asked.delete(socket));
  });

  function release(): void {
    // First: whoever comes now finds nothing, and not a socket that closes.
    rmSync(join(folder, name), { force: true });
    server.close();
    for (const socket of asked) socket.destroy();
    addresses.close();
  }

  try {
    await listening(server, addresses.of(`.${name}`)).catch((error) => {
      throw hasNoSockets(error) ? noSockets(path, error) : error;
    });
    renameSync(join(folder, `.${name}`), join(folder, name));
    for (const other of readdirSync(folder)) {
      const [, pid] = SOCKET.exec(other) ?? [];
      if (pid === undefined || other === name) continue;
      const answer = await ask(addresses.of(other), other > name);
      if (answer === 'owned') throw inUse(path, `process ${pid}`);
      if (answer === 'dead') rmSync(join(folder, other), { force: true });
    }
  } catch (error) {
    release();
    throw error;
  }
  owns = true;
  for (const socket of asked) socket.end('owned');
  return { release };
}

type Answer = 'dead' | 'owned' | 'withdrew';

/**
 * `dead`: nobody listens. `withdrew`: somebody did, and has given up. With `untilDecided` that one
 * is given the time to; otherwise it is enough that it lives.
 */
function ask(address: string, untilDecided: boolean): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const settle = (answer: Answer) => {
      resolve(answer);
      socket.destroy();
    };
    socket.setTimeout(PATIENCE_MS, () => settle('owned'));
    if (!untilDecided) socket.once('connect', () => settle('owned'));
    socket.once('data', () => settle('owned'));
    socket.once('close', () => settle('withdrew'));
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED' || code === 'ENOENT') settle('dead');
      else if (code === 'ECONNRESET' || code === 'EPIPE') settle('withdrew');
      else settle('owned');
    });
  });
}

interface Addresses {
  of(name: string): string;
  close(): void;
}

/** Of sockets in `folder`. Linux reaches what is too deep for an address through a descriptor. */
function addressesIn(folder: string): Addresses {
  if (Buffer.byteLength(join(folder, LONGEST_NAME)) <= ADDRESS_BYTES)
    return { of: (name) => join(folder, name), close() {} };
  if (process.platform !== 'linux')
    throw new StoreError(
      'unavailable',
      `the path of the data folder ${folder} is too long for a socket; choose a shorter one`,
    );
  const descriptor = openSync(folder, 'r');
  let open = true;
  return {
    of: (name) => `/proc/self/fd/${descriptor}/${name}`,
    close() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

/** The system gives a pipe's name to one process, and takes it back when that process ends. */
async function ownByPipe(path: string): Promise<FolderOwner> {
  const folder = new TextEncoder().encode(realpathSync(path).toLowerCase());
  const server = createServer((socket) => socket.on('error', () => {}).destroy());
  try {
    await listening(server, `\\\\.\\pipe\\sealwire-${encodeBase64url(nobleCrypto().sha256(folder))}`);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? inUse(path, 'another process') : error;
  }
  return { release: () => void server.close() };
}

async function listening(server: Server, address: string): Promise<void> {
  server.listen(address).unref();
  await once(server, 'listening');
  // Too many open files, when somebody asks: it lives, and connects all the same.
  server.on('error', () => {});
}

function hasNoSockets({ code = '' }: NodeJS.ErrnoException): boolean {
  return ['EIO', 'EPERM', 'EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].includes(code);
}

function noSockets(folder: string, cause: NodeJS.ErrnoException): StoreError {
  return new StoreError(
    'unavailable',
    `the file system of the data folder ${folder} has no sockets (${cause.code}), as exFAT and network shares have none; choose a folder on another one`,
    { cause },
  );
}

function inUse(folder: string, owner: string): StoreError {
  return new StoreError(
    'unavailable',
    `the data folder ${folder} is in use by ${owner}, and one process at a time owns a folder; stop it, or choose another folder`,
  );
}
