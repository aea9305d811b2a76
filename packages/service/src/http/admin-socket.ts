/**
 * The administrator's door of a running server: JSON over HTTP on a Unix domain socket beside the
 * data. Whoever may enter that folder (0700) and use the socket (0600) is the administrator;
 * nothing else is asked.
 */
import { once } from 'node:events';
import { closeSync, lstatSync, openSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { ConfigError } from '../boot/config.ts';
import { answerAdmin, bodyOf, JSON_TYPE } from './admin-request.ts';
import type { FailureNotes } from './failure.ts';
import type { AdminCommands } from './http-door.ts';
import { parseStrictJson } from './strict-json.ts';

/** For a command, whose person waits. */
const PATIENCE_MS = 30_000;
/** For a command that is under way when the server ends. */
const CLOSE_MS = 5_000;
/** What a socket address holds (`sun_path` of unix(7)). */
const ADDRESS_BYTES = process.platform === 'linux' ? 107 : 103;

/** The server that was asked refused. */
export class AdminRefusal extends ConfigError {
  constructor(
    path: string,
    readonly reason: string,
    /** Of the error table. */
    readonly code: string,
  ) {
    super(path, `the server refuses: ${reason}`, 'see its log');
  }
}

export interface AdminSocket {
  close(): Promise<void>;
}

/**
 * Of a server whose data lies in `folder`. Undefined on Windows: commands then need a stopped
 * server.
 */
export function adminSocketIn(folder: string): string | undefined {
  return process.platform === 'win32' ? undefined : join(folder, 'admin.sock');
}

/**
 * Replaces what a dead server left at `path`. Rejects with `ConfigError` when another one listens
 * there, or none can.
 */
export async function listenOnAdminSocket(
  path: string,
  commands: AdminCommands,
  notes: FailureNotes,
): Promise<AdminSocket> {
  const server = createServer((request, response) => {
    void answerAdmin(commands, { via: 'socket' }, request, response, notes);
  });
  const { address, release } = addressOf(path);
  try {
    await removeStale(path, address);
    // The mode of the socket from its first moment on; `listen` binds before it returns.
    const before = process.umask(0o177);
    try {
      server.listen(address);
    } finally {
      process.umask(before);
    }
    await once(server, 'listening');
  } catch (error) {
    release();
    if (error instanceof ConfigError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError(
      path,
      `cannot be made a socket (${code})`,
      'give this user the right to write in that folder',
    );
  }
  return {
    async close() {
      server.close();
      const patience = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
      await once(server, 'close');
      clearTimeout(patience);
      release();
    },
  };
}

async function removeStale(path: string, address: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket()) throw new ConfigError(path, 'is there already, and no socket', 'choose another path');
  const socket = connect(address);
  const answers = await once(socket, 'connect').then(
    () => true,
    ({ code }: NodeJS.ErrnoException) => code !== 'ECONNREFUSED',
  );
  socket.destroy();
  if (answers) throw new ConfigError(path, 'is the socket of another server that runs', 'choose another path');
  rmSync(path);
}

/**
 * What the server at `path` answers; undefined when none listens there. Throws `ConfigError` when
 * it refuses, or does not answer.
 */
export async function callAdminSocket(path: string, command: string, body: object): Promise<unknown> {
  let release = () => {};
  try {
    const at = addressOf(path);
    release = at.release;
    const request = httpRequest({
      socketPath: at.address,
      path: command,
      method: 'POST',
      headers: { 'content-type': JSON_TYPE },
      agent: false,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    request.end(JSON.stringify(body));
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const answer = parseStrictJson(await bodyOf(response));
    if (response.statusCode === 200) return answer;
    const { title, detail, code } = answer as { title: string; detail?: string; code: string };
    throw new AdminRefusal(path, detail ?? title, code);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    if (error instanceof ConfigError) throw error;
    if (code === 'EACCES') throw new ConfigError(path, 'is closed to this user', 'be the user that the server runs as');
    throw new ConfigError(path, `the server does not answer (${code ?? String(error)})`, 'look whether it is well');
  } finally {
    release();
  }
}

/** Linux reaches what is too deep for an address through a descriptor of the folder. */
function addressOf(path: string): { readonly address: string; release(): void } {
  if (Buffer.byteLength(path) <= ADDRESS_BYTES) return { address: path, release() {} };
  if (process.platform !== 'linux') throw new ConfigError(path, 'is too long for a socket', 'choose a shorter path');
  const descriptor = openSync(dirname(path), 'r');
  return { address: `/proc/self/fd/${descriptor}/${basename(path)}`, release: () => closeSync(descriptor) };
}
