/** Two regions, each with a Redis of the test's own (skipped aloud without `redis-server`), with links between them that can be harmed. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { busContract } from './contract.ts';
import { joinRegions, openBus } from './open.ts';
import type { Bus } from './port.ts';
import { openRedisBus } from './redis.ts';
import { openRegionalBus } from './regional.ts';
import { hasRedis, type OwnRedis, startRedis } from './testing/own-redis.ts';

jest.setTimeout(30_000);

let east: OwnRedis;
let west: OwnRedis;

beforeAll(async () => {
  if (hasRedis) [east, west] = await Promise.all([startRedis(), startRedis()]);
});

afterAll(async () => {
  if (hasRedis) await Promise.all([east.stop(), west.stop()]);
});

const urlOf = ({ host }: OwnRedis) => `redis://${host}`;

async function regional(own: OwnRedis, name: string, url: string, onRegion = (..._: unknown[]) => {}): Promise<Bus> {
  return joinRegions(await openBus(urlOf(own)), urlOf(own), `${name}=${url}`, { onRegion });
}

if (hasRedis)
  busContract('two regions on Redis', {
    reach: 'nodes',
    async open() {
      const [one, other] = await Promise.all([
        regional(east, 'west', urlOf(west)),
        regional(west, 'east', urlOf(east)),
      ]);
      return { one, other };
    },
    interrupt: () => west.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub').then(() => {}),
  });
else it.skip('bus contract: two regions on Redis: needs redis-server', () => {});

/** From one region to the Redis of another; it can be cut, or carry nothing and stay open. */
class Way {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #state: 'whole' | 'cut' | 'silent' = 'whole';

  constructor(target: number) {
    this.#server = createServer((near) => {
      if (this.#state === 'cut') {
        near.destroy();
        return;
      }
      const far = connect(target, '127.0.0.1');
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('error', () => {}).on('data', (chunk) => void (this.#state === 'whole' && other.write(chunk)));
        socket.once('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
    }).listen(0, '127.0.0.1');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  become(state: 'whole' | 'cut' | 'silent'): void {
    this.#state = state;
    if (state === 'cut') for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.become('cut');
    this.#server.close();
    await once(this.#server, 'close');
  }
}

describe('two regions whose link breaks (skipped without redis-server)', () => {
  const test = hasRedis ? it : it.skip;
  let way: Way;
  let bus: Bus;
  let far: Bus;

  beforeEach(async () => {
    if (!hasRedis) return;
    way = new Way(west.port);
    far = await openBus(urlOf(west));
  });

  afterEach(async () => {
    if (!hasRedis) return;
    await Promise.all([bus.close(), far.close()]);
    await way.close();
  });

  /** Everything that is heard and told, in order; `until` waits for a number of them. */
  function story() {
    const lines: string[] = [];
    let look = () => {};
    const note = (line: string) => {
      lines.push(line);
      look();
    };
    const until = (line: string) =>
      new Promise<void>((resolve) => {
        look = () => void (lines.includes(line) && resolve());
        look();
      });
    return { lines, note, until };
  }

  async function listenOverTheWay(note: (line: string) => void): Promise<void> {
    bus = await regional(east, 'west', `redis://127.0.0.1:${way.port}`, (...words) =>
      note(words.slice(0, 2).join(' ')),
    );
    await bus.subscribe(
      'a',
      ([byte]) => note(`heard ${byte}`),
      () => note('told'),
    );
  }

  test('the own one goes on; what comes after the link is back is heard, and who listens was told before', async () => {
    const { lines, note, until } = story();
    await listenOverTheWay(note);
    await far.publish('a', Uint8Array.of(1));
    await until('heard 1');
    way.become('cut');
    await until('west lost');
    await far.publish('a', Uint8Array.of(2));
    await bus.publish('a', Uint8Array.of(3));
    await until('heard 3');
    way.become('whole');
    await until('told');
    await far.publish('a', Uint8Array.of(4));
    await until('heard 4');
    expect(lines).toEqual(['heard 1', 'west lost', 'heard 3', 'west restored', 'told', 'heard 4']);
  });

  test('a region that is away at the start keeps nobody from starting', async () => {
    const { lines, note, until } = story();
    way.become('cut');
    await listenOverTheWay(note);
    expect(lines).toEqual(['west lost']);
    await bus.publish('a', Uint8Array.of(1));
    await until('heard 1');
    way.become('whole');
    await until('told');
    await far.publish('a', Uint8Array.of(2));
    await until('heard 2');
    expect(lines).toEqual(['west lost', 'heard 1', 'west restored', 'told', 'heard 2']);
  });

  test('a link that carries nothing, and that nobody closes, is found out; without a heartbeat it is not', async () => {
    const { note, until } = story();
    const blind: string[] = [];
    const url = `redis://127.0.0.1:${way.port}`;
    const asking = { url, heartbeatMs: 100, onConnection: (state: string) => note(state) };
    const silent = { url, onConnection: (state: string) => void blind.push(state) };
    const others = [asking, silent].map((terms, i) => ({ name: `west${i}`, open: () => openRedisBus(terms) }));
    bus = await openRegionalBus({ own: await openBus(urlOf(east)), others });
    await bus.subscribe('a', () => {});
    way.become('silent');
    await until('lost');
    expect(blind).toEqual([]);
    way.become('whole');
    await until('restored');
  });
});
