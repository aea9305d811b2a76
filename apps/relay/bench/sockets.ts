/** Opens and closes the sockets of pairs: a sender and a recipient each. */
import { BenchClient } from './client.ts';
import type { Credentials, ServerKind } from './protocol.ts';

/** Where the senders and the recipients of a pair connect. */
export type PortsOf = (pair: number) => readonly [sender: number, recipient: number];

/** `devices`: two for each pair, of our relay; of a bare one only their number counts. */
export async function connectPairs(
  port: number | PortsOf,
  kind: ServerKind,
  count: number,
  devices: readonly Credentials[],
): Promise<[BenchClient, BenchClient][]> {
  const portsOf: PortsOf = typeof port === 'number' ? () => [port, port] : port;
  const open = (i: number) => BenchClient.open(portsOf(i >> 1)[i & 1]!, kind, kind === 'ours' ? devices[i]! : i);
  const pairs: [BenchClient, BenchClient][] = [];
  for (let i = 0; i < count; i++) pairs.push(await Promise.all([open(2 * i), open(2 * i + 1)]));
  return pairs;
}

export async function closeAll(clients: readonly BenchClient[]): Promise<void> {
  for (const { socket } of clients) socket.end(maskedCloseFrame());
  await Promise.all(clients.map(({ socket }) => new Promise((resolve) => socket.once('close', resolve))));
}

function maskedCloseFrame(): Buffer {
  return Buffer.from([0x88, 0x80, 0, 0, 0, 0]);
}
