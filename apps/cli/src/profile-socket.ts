/**
 * How `send` goes while `chat` or `listen` has the keys: the process that has them takes orders over a socket in the profile's folder.
 * Whoever may enter that folder (0700) is the user. One order a connection, one JSON line each way:
 *
 *   { "to": "bob", "text": "…", "wait": 10 }   →   { "outcome": { … } }  or  { "error": { "ending", "message" } }
 */
import { existsSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Client } from '@sealwire/client/client';
import { LIMITS } from '@sealwire/wire/limits';
import { z } from 'zod';
import { CliError, type Ending, EXIT_CODES, endingOf } from './exit-codes.ts';
import { explain } from './output.ts';
import type { Profile } from './profile.ts';
import { parseRecipient } from './recipient.ts';
import { type SendOutcome, sendAndWait } from './send-and-wait.ts';

/** JSON writes a character as six at most. */
const LARGEST_ORDER = 6 * LIMITS.payloadBytes.value + 1_024;
/** A path of a Unix socket has an end. */
const LONGEST_PATH = 103;

const Order = z.strictObject({ to: z.string(), text: z.string().min(1), wait: z.number().min(0).max(86_400) });
type Order = z.output<typeof Order>;

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
 * Has the process that has the keys send a message. Undefined when nobody takes orders there. Throws `CliError` with what went wrong
 * over there.
 */
export async function order(profile: Profile, wanted: Order): Promise<SendOutcome | undefined> {
  const path = socketPath(profile);
  if (!existsSync(path)) return undefined;
  const socket = createConnection({ path, allowHalfOpen: true });
  let said: string;
  try {
    socket.end(JSON.stringify(wanted));
    said = await text(socket);
  } catch {
    return undefined;
  }
  const { outcome, error } = JSON.parse(said || '{}') as {
    outcome?: SendOutcome;
    error?: { ending: string; message: string };
  };
  if (outcome) return outcome;
  const ending = error && error.ending in EXIT_CODES ? (error.ending as Ending) : 'failure';
  throw new CliError(
    ending,
    error?.message ?? 'the process that has the keys ended meanwhile: the message may be in the outbox',
  );
}

async function answer(socket: Socket, client: Client, reading: Set<Socket>, ended: AbortSignal): Promise<void> {
  let said: object;
  try {
    reading.add(socket);
    const ordered = await readOrder(socket).finally(() => reading.delete(socket));
    const { to, text: message, wait } = Order.parse(JSON.parse(ordered));
    said = { outcome: await sendAndWait(client, parseRecipient(to, client.address), message, wait, ended) };
  } catch (error) {
    said = { error: { ending: endingOf(error), message: explain(error) } };
  }
  socket.end(JSON.stringify(said));
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
