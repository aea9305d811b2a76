/** Relay nodes for tests: real sockets on the loopback, embedded store and bus, time that stands still unless it is told to pass. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTokenSigner, createTokenVerifier } from '@sealwire/access/tokens';
import type { Counters } from '@sealwire/bus/counters';
import { MemoryHub, openMemoryBus } from '@sealwire/bus/memory';
import type { Bus } from '@sealwire/bus/port';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { trustedProxies } from '@sealwire/service/client-address';
import type { SocketDoor } from '@sealwire/service/http-door';
import { type Log, silentLog } from '@sealwire/service/log';
import { createMetrics, type Metrics } from '@sealwire/service/metrics';
import { openMemoryStore } from '@sealwire/store/memory';
import type { Device, Store } from '@sealwire/store/port';
import { type DeviceId, parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { LOOK_EVERY_MS as MAIL_CLOCK_LOOKS_EVERY_MS } from '../mailboxes/mail-clock.ts';
import { DEFAULT_SETTINGS, type RelayDeps, type RelaySettings, startRelay } from '../start.ts';
import { FakeTime } from './fake-time.ts';
import { TestClient } from './test-client.ts';

const ISSUER = 'https://relay.test';

export interface Node {
  readonly door: SocketDoor;
  readonly url: string;
  readonly server: Server;
  readonly metrics: Metrics;
}

export interface World {
  readonly time: FakeTime;
  readonly store: Store;
  readonly hub: MemoryHub;
  readonly nodes: readonly Node[];
  /** Of the first node. */
  readonly node: Node;
  /** Makes (or extends) an account: `device('alice', 1)`. */
  device(name: string, number?: number): Promise<DeviceId>;
  token(device: DeviceId): Promise<string>;
  /** A logged-in client at node `at`. */
  client(device: DeviceId, at?: number): Promise<TestClient>;
  /** So much time passes, and the nodes know that it has: mail expires. */
  age(ms: number): Promise<void>;
  /** Resolves when the acknowledgements that `client` has sent are written. */
  acknowledged(client: TestClient): Promise<void>;
  /** Its clock is the world's, and its name one of its own, unless they are given. */
  startNode(terms?: { readonly now?: () => number; readonly nodeId?: string }): Promise<Node>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly nodes?: number;
  readonly settings?: Partial<RelaySettings>;
  readonly store?: Store;
  readonly log?: Log;
  /** Of all keys: another one for each run on a store that outlives it. */
  readonly seed?: string;
  readonly disks?: RelayDeps['disks'];
  /** Of each node in turn; each counts alone unless given. */
  readonly counters?: readonly Counters[];
  /** What stands between a node and the hub of all. */
  readonly wrapBus?: (bus: Bus) => Bus;
}

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const time = new FakeTime();
  const store = options.store ?? openMemoryStore();
  const hub = new MemoryHub();
  const random = seededRandom(options.seed ?? 1);
  const signer = createTokenSigner({ seed: random(32), issuer: ISSUER, now: time.now });
  const accounts = new Map<string, Device[]>();
  const nodes: Node[] = [];
  const clients: TestClient[] = [];
  const wrapBus = options.wrapBus ?? ((bus: Bus) => bus);

  async function startNode({ now = time.now, nodeId = `node${nodes.length + 1}` } = {}): Promise<Node> {
    const metrics = createMetrics();
    const door = await startRelay({
      store,
      bus: wrapBus(openMemoryBus(hub)),
      tokens: createTokenVerifier({ jwks: signer.jwks(), issuer: ISSUER, now: time.now }),
      log: options.log ?? silentLog,
      metrics,
      now,
      random,
      nodeId,
      disks: options.disks,
      counters: options.counters?.[nodes.length],
      settings: {
        ...DEFAULT_SETTINGS,
        messagesPerPair: undefined,
        messagesPerRecipient: undefined,
        ...options.settings,
      },
      proxies: trustedProxies([]),
      timers: time,
    });
    const server = createServer((request, response) => door.handle(request, response));
    server.on('upgrade', door.upgrade);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const node = { door, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/relay`, server, metrics };
    nodes.push(node);
    return node;
  }
  for (let i = 0; i < (options.nodes ?? 1); i++) await startNode();

  const token = async (device: DeviceId) => (await signer.sign(device, ['relay'])).token;
  return {
    time,
    store,
    hub,
    nodes,
    node: nodes[0]!,
    token,
    startNode,
    async device(name, number = 1) {
      const address = parseAccountAddress(`sip:${name}@relay.test`);
      const id = parseDeviceId(`${address};gr=urn:uuid:${number}`);
      const key = random(32);
      const device: Device = {
        id,
        identities: [{ suite: 'c25519', identityKey: key }],
        loginKey: key,
        addedAt: time.ms,
      };
      const devices = [...(accounts.get(name) ?? []), device];
      accounts.set(name, devices);
      const manifest = { version: devices.length, bytes: random(16), signature: random(64) };
      if (devices.length === 1)
        await store.accounts.create({ address, accountKey: key.toReversed(), createdAt: time.ms }, manifest, devices);
      else await store.manifests.publish(address, manifest, devices, time.ms);
      return id;
    },
    async client(device, at = 0) {
      const client = await TestClient.logIn(nodes[at]!.url, await token(device));
      clients.push(client);
      return client;
    },
    async age(ms) {
      time.ms += ms;
      await store.expiryTime.write(time.now());
      time.pass(MAIL_CLOCK_LOOKS_EVERY_MS);
      await turns(4);
    },
    async acknowledged(client) {
      await client.settled();
      time.pass(DEFAULT_SETTINGS.ackEveryMs);
      // The write begins at the end of a turn and, in memory, ends within it.
      await turns(2);
    },
    async close() {
      await Promise.all(nodes.map(({ door }) => door.close()));
      for (const { ws } of clients) ws.terminate();
      for (const { server } of nodes) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
      await store.close();
    },
  };
}

/** Lets the event loop turn, for what happens without a socket. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A bus that takes every message and loses it. */
export function losesEverything(bus: Bus): Bus {
  return { ...bus, publish: async () => {} };
}
