/** Each measurement starts its own servers and answers figures of the server process alone. */
import { encodeClientFrame } from '@sealwire/wire/frame-codec';
import { BenchClient } from './client.ts';
import { maskedFrame } from './frames-by-hand.ts';
import { MeasuredServer } from './measured-server.ts';
import { type Load, openPairs } from './pairs.ts';
import type { Credentials, ServerKind } from './protocol.ts';

/** Short, because the machine's other guests come and go: what both had to bear says nothing of either. */
const ROUNDS = 15;
const WARM_UP_ROUNDS = 8;
const SETTLE_MS = 100;
const ROUND_MS = 600;
const PARALLEL_CONNECTS = 50;

export interface LoadShape {
  readonly pairs: number;
  readonly inFlight: number;
}

interface Cost {
  /** CPU microseconds of the server process (user and system) a message that was delivered and accepted. */
  readonly micros: number;
  readonly perSecond: number;
}

export interface PairCosts {
  /** Medians of all rounds. */
  readonly ours: Cost;
  readonly bare: Cost;
  /** Median of the ratios of neighbouring rounds. */
  readonly ratio: number;
}

/** Both servers live side by side; rounds alternate. */
export async function pairCosts({ pairs, inFlight }: LoadShape): Promise<PairCosts> {
  const servers = { ours: await MeasuredServer.start('ours'), bare: await MeasuredServer.start('bare') };
  const { devices = [] } = await servers.ours.ask({ ask: 'devices', prefix: 'pair', count: 2 * pairs });
  const loads = {
    ours: await openPairs(servers.ours.port, 'ours', pairs, inFlight, devices),
    bare: await openPairs(servers.bare.port, 'bare', pairs, inFlight, []),
  };
  const costs: Record<'ours' | 'bare', Cost[]> = { ours: [], bare: [] };
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++)
    for (const kind of ['ours', 'bare'] as const) {
      const cost = await oneRound(servers[kind], loads[kind]);
      if (round >= WARM_UP_ROUNDS) costs[kind].push(cost);
    }
  await Promise.all([loads.ours.end(), loads.bare.end()]);
  await Promise.all([servers.ours.end(), servers.bare.end()]);
  return {
    ours: medianCost(costs.ours),
    bare: medianCost(costs.bare),
    ratio: median(costs.ours.map(({ micros }, i) => micros / (costs.bare[i]?.micros ?? Number.NaN))),
  };
}

async function oneRound(server: MeasuredServer, load: Load): Promise<Cost> {
  load.resume();
  await sleep(SETTLE_MS);
  const before = { cpu: await server.cpuMicros(), messages: load.messages, at: performance.now() };
  await sleep(ROUND_MS);
  const after = { cpu: await server.cpuMicros(), messages: load.messages, at: performance.now() };
  await load.pause();
  const messages = after.messages - before.messages;
  return { micros: (after.cpu - before.cpu) / messages, perSecond: (messages * 1_000) / (after.at - before.at) };
}

function medianCost(costs: readonly Cost[]): Cost {
  return {
    micros: median(costs.map(({ micros }) => micros)),
    perSecond: median(costs.map(({ perSecond }) => perSecond)),
  };
}

/** RSS after garbage collection that one idle, authenticated connection adds. */
export async function idleBytes(kind: ServerKind, count: number): Promise<number> {
  const server = await MeasuredServer.start(kind);
  const { devices = [] } = await server.ask({ ask: 'devices', prefix: 'idle', count: count + 100 });
  // The first sockets warm up code and pools.
  const warm = await openMany(server, devices.slice(count), count, 100);
  const { rssBytes: before = 0 } = await server.ask({ ask: 'memory' });
  const sockets = await openMany(server, devices, 0, count);
  await sleep(500);
  const { rssBytes: after = 0 } = await server.ask({ ask: 'memory' });
  for (const { socket } of [...sockets, ...warm]) socket.destroy();
  await server.end();
  return (after - before) / count;
}

export interface ConnectCosts {
  /** CPU µs. */
  readonly bare: number;
  /** A token that another process signed, and one of its own. */
  readonly foreign: { readonly micros: number; readonly ratio: number };
  readonly own: { readonly micros: number; readonly ratio: number };
}

const CONNECT_ROUNDS = 7;
const CONNECT_SOCKETS = 500;

/**
 * From the TCP connection to the first answer after the authentication and the (empty) backlog. All three live side by side and take
 * turns; ratios are medians of those of one round. The first round warms up.
 */
export async function connectCosts(): Promise<ConnectCosts> {
  const servers = {
    bare: await MeasuredServer.start('bare'),
    foreign: await MeasuredServer.start('ours'),
    own: await MeasuredServer.start('ours', undefined, true),
  };
  const costs = { bare: [] as number[], foreign: [] as number[], own: [] as number[] };
  const count = CONNECT_ROUNDS * CONNECT_SOCKETS;
  const devices = {
    bare: [],
    foreign: (await servers.foreign.ask({ ask: 'devices', prefix: 'connect', count })).devices ?? [],
    own: (await servers.own.ask({ ask: 'devices', prefix: 'connect', count })).devices ?? [],
  };
  const names = ['bare', 'foreign', 'own'] as const;
  for (let round = 0; round < CONNECT_ROUNDS; round++)
    for (const name of names) {
      const from = round * CONNECT_SOCKETS;
      const before = await servers[name].cpuMicros();
      const clients = await openMany(servers[name], devices[name].slice(from), from, CONNECT_SOCKETS);
      if (round > 0) costs[name].push(((await servers[name].cpuMicros()) - before) / CONNECT_SOCKETS);
      for (const { socket } of clients) socket.destroy();
      await sleep(300);
    }
  for (const name of names) await servers[name].end();
  const of = (name: 'foreign' | 'own') => ({
    micros: median(costs[name]),
    ratio: median(costs[name].map((micros, i) => micros / costs.bare[i]!)),
  });
  return { bare: median(costs.bare), foreign: of('foreign'), own: of('own') };
}

/** A full mailbox to a client that acknowledges every 32 messages. */
export async function drainRate(count: number): Promise<{ perSecond: number; cpuMicros: number }> {
  const server = await MeasuredServer.start('ours');
  const { devices = [] } = await server.ask({ ask: 'devices', prefix: 'drain', count: 3 });
  const figures: { perSecond: number; cpuMicros: number }[] = [];
  for (const who of devices) {
    await server.ask({ ask: 'fill', device: who.device, count, bytes: 1_024 });
    const before = { cpu: await server.cpuMicros(), at: performance.now() };
    await drainOne(server.port, who, count);
    const seconds = (performance.now() - before.at) / 1_000;
    figures.push({ perSecond: count / seconds, cpuMicros: ((await server.cpuMicros()) - before.cpu) / count });
  }
  await server.end();
  return {
    perSecond: median(figures.map(({ perSecond }) => perSecond)),
    cpuMicros: median(figures.map(({ cpuMicros }) => cpuMicros)),
  };
}

async function drainOne(port: number, who: Credentials, count: number): Promise<void> {
  let received = 0;
  let finished = () => {};
  const done = new Promise<void>((resolve) => {
    finished = resolve;
  });
  let client: BenchClient | undefined;
  let acknowledged = 0;
  const opening = BenchClient.open(port, 'ours', who, {
    accepted() {},
    delivered(seq) {
      received++;
      if (received - acknowledged >= 32 || received === count) acknowledge(seq);
    },
  });
  function acknowledge(seq: number): void {
    if (!client) return;
    acknowledged = received;
    client.socket.write(maskedFrame(encodeClientFrame({ kind: 'ack', upTo: seq })).frame);
    if (received === count) finished();
  }
  client = await opening;
  acknowledge(received);
  await done;
  client.socket.destroy();
}

async function openMany(
  server: MeasuredServer,
  devices: readonly Credentials[],
  firstNumber: number,
  count: number,
): Promise<BenchClient[]> {
  const clients: BenchClient[] = [];
  for (let done = 0; done < count; done += PARALLEL_CONNECTS) {
    const batch = Array.from({ length: Math.min(PARALLEL_CONNECTS, count - done) }, (_, i) =>
      BenchClient.open(server.port, server.kind, server.kind === 'ours' ? devices[done + i]! : firstNumber + done + i),
    );
    clients.push(...(await Promise.all(batch)));
  }
  return clients;
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
