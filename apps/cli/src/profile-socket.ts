/**
 * How `send` and `file` go while `chat` or `listen` has the keys: the process that has them takes orders (orders.ts) over a socket in the
 * profile's folder. Whoever may enter that folder (0700) is the user. One order a connection, in JSON lines:
 *
 *   { "to": "bob", "text": "…", "wait": 10 }   →   reports, if any, then { "outcome": … }  or  { "error": { "ending", "message" } }
 */
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Client } from '@sealwire/client/client';
import { LIMITS } from '@sealwire/wire/limits';
import { CliError, type Ending, EXIT_CODES, endingOf } from './exit-codes.ts';
import { carryOut, Order, type Report } from './orders.ts';
import { explain } from './output.ts';
import type { Profile } from './profile.ts';

/** JSON writes a character as six at most. */
const LARGEST_ORDER = 6 * LIMITS.payloadBytes.value + 1_024;
/** A path of a Unix socket has an end. */
const LONGEST_PATH = 103;

export type Answer = Report | { readonly outcome: unknown };

const socketPath = ({ folder }: Profile) => join(folder, 'control.sock');

/** Takes orders until the answer is called. The caller has the keys, so that a socket that is there is a dead process's. */
export async function takeOrders(profile: Profile, client: Client): Promise<() => Promise<void>> {
  const path = socketPath(profile);
  if (process.platform === 'win32' || Buffer.byteLength(path) > LONGEST_PATH) return async () => {};
  rmSync(path, { force: true });
  const ended = new AbortController();
  // Their orders are not complete: whoever says nothing must not keep us from ending.
  const reading = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    void answer(socket, client, reading, ended.signal);
  });
  await new Promise<void>((resolve) => {
    // Without a socket there are no orders; that is no reason not to chat.
    server.once('error', () => resolve());
    server.listen(path, resolve);
  });
  return () => {
    ended.abort();
    for (const socket of reading) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  };
}

/**
 * Has the process that has the keys carry out `wanted`. Answers its reports and, last, the outcome; undefined when nobody takes orders
 * there. Whoever ends the loop, or `signal`, ends the work over there. Throws `CliError` with what went wrong there.
 */
export async function answersTo(
  profile: Profile,
  wanted: Order,
  signal?: AbortSignal,
): Promise<AsyncGenerator<Answer, void, undefined> | undefined> {
  const path = socketPath(profile);
  if (!existsSync(path)) return undefined;
  const socket = createConnection({ path, allowHalfOpen: true });
  try {
    await once(socket, 'connect');
  } catch {
    return undefined;
  }
  socket.on('error', () => socket.destroy());
  const stop = () => socket.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  socket.once('close', () => signal?.removeEventListener('abort', stop));
  socket.end(JSON.stringify(wanted));
  return answersOn(socket, signal);
}

/** What became of an order. Throws as its answers do. */
export async function outcomeOf<Outcome>(
  answers: AsyncIterable<Answer>,
  onProgress: (done: number, all: number) => void = () => {},
): Promise<Outcome> {
  let outcome: unknown;
  for await (const answer of answers) {
    if ('outcome' in answer) outcome = answer.outcome;
    else if ('progress' in answer) onProgress(...answer.progress);
  }
  return outcome as Outcome;
}

async function* answersOn(socket: Socket, signal: AbortSignal | undefined): AsyncGenerator<Answer, void, undefined> {
  try {
    for await (const line of linesOf(socket)) {
      const said = JSON.parse(line) as
        | Answer
        | { readonly error: { readonly ending: string; readonly message: string } };
      if ('error' in said) {
        const { ending, message } = said.error;
        throw new CliError(ending in EXIT_CODES ? (ending as Ending) : 'failure', message);
      }
      yield said;
      if ('outcome' in said) return;
    }
  } finally {
    socket.destroy();
  }
  if (signal?.aborted) throw new CliError('interrupted', 'stopped');
  throw new CliError('failure', 'the process that has the keys ended meanwhile: a message may be in the outbox');
}

async function answer(socket: Socket, client: Client, reading: Set<Socket>, ended: AbortSignal): Promise<void> {
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  const say = (line: object) => {
    return new Promise<void>((resolve, reject) => {
      socket.write(`${JSON.stringify(line)}\n`, (error) => (error ? reject(error) : resolve()));
    });
  };
  let last: object;
  try {
    reading.add(socket);
    const ordered = await readOrder(socket).finally(() => reading.delete(socket));
    const order = Order.parse(JSON.parse(ordered));
    last = { outcome: await carryOut(client, order, say, AbortSignal.any([ended, gone.signal])) };
  } catch (error) {
    last = { error: { ending: endingOf(error), message: explain(error) } };
  }
  socket.end(`${JSON.stringify(last)}\n`);
}

async function readOrder(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > LARGEST_ORDER) throw new CliError('usage', 'the message is longer than a message may be');
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function* linesOf(socket: Socket): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const chunk of socket.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() as string;
      yield* lines;
    }
  } catch {
    // Destroyed, here or over there: what was complete has been said.
  }
}
