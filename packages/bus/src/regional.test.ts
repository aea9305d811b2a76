/** One bus over regions: the contract over two memory hubs, and what is of regions alone. Redis: regional-redis.test.ts. */
import { describe, expect, it } from '@jest/globals';
import { busContract } from './contract.ts';
import { MemoryHub, openMemoryBus } from './memory.ts';
import type { Bus } from './port.ts';
import { AGAIN_MS, type OtherRegion, openRegionalBus } from './regional.ts';

let hubs: { readonly east: MemoryHub; readonly west: MemoryHub };

function there(name: string, hub: MemoryHub): OtherRegion {
  return { name, open: async () => openMemoryBus(hub) };
}

busContract('two regions in memory', {
  reach: 'process',
  async open() {
    hubs = { east: new MemoryHub(), west: new MemoryHub() };
    const one = await openRegionalBus({ own: openMemoryBus(hubs.east), others: [there('west', hubs.west)] });
    const other = await openRegionalBus({ own: openMemoryBus(hubs.west), others: [there('east', hubs.east)] });
    return { one, other };
  },
  interrupt: () => hubs.west.cut()(),
});

/** Timers that run when they are told. */
class Timers {
  readonly waiting = new Set<{ readonly ms: number; readonly run: () => void }>();

  readonly after = (ms: number, run: () => void): (() => void) => {
    const timer = { ms, run };
    this.waiting.add(timer);
    return () => this.waiting.delete(timer);
  };

  /** Runs those that wait now, and lets what follows from them happen. */
  async run(): Promise<void> {
    const due = [...this.waiting];
    this.waiting.clear();
    for (const { run } of due) run();
    await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What a listener hears, and how often it was told to look for itself. */
function noted() {
  const heard: number[] = [];
  const noting = {
    heard,
    told: 0,
    hear: ([byte]: Uint8Array) => void heard.push(byte!),
    tell: () => void noting.told++,
  };
  return noting;
}

/** A region that answers only when it is told to. */
function uncertain(hub: MemoryHub) {
  const region = {
    name: 'west',
    answers: false,
    attempts: 0,
    tell: (_state: 'lost' | 'restored', _reason?: string) => {},
    async open(onConnection: (state: 'lost' | 'restored', reason?: string) => void): Promise<Bus> {
      region.attempts++;
      if (!region.answers) throw new Error('nobody answers');
      region.tell = onConnection;
      return openMemoryBus(hub);
    },
  };
  return region;
}

describe('a region that does not answer', () => {
  it('keeps nobody waiting; when it does, its listeners are told, once, and hear it', async () => {
    const [own, west] = [new MemoryHub(), new MemoryHub()];
    const [timers, region, listener, news] = [new Timers(), uncertain(west), noted(), [] as unknown[][]];
    const onRegion = (...words: unknown[]) => void news.push(words);
    const bus = await openRegionalBus({ own: openMemoryBus(own), others: [region], after: timers.after, onRegion });
    await bus.subscribe('a', listener.hear, listener.tell);
    await bus.publish('a', Uint8Array.of(1));
    const far = openMemoryBus(west);
    await far.publish('a', Uint8Array.of(2));
    await timers.run();
    expect(listener).toMatchObject({ heard: [1], told: 0 });
    expect(region.attempts).toBe(2);
    expect([...timers.waiting].map(({ ms }) => ms)).toEqual([AGAIN_MS]);
    region.answers = true;
    await timers.run();
    await far.publish('a', Uint8Array.of(3));
    await turn();
    expect(listener).toMatchObject({ heard: [1, 3], told: 1 });
    // Each state and each reason once, however often it is tried.
    expect(news).toEqual([
      ['west', 'lost', 'nobody answers'],
      ['west', 'restored', undefined],
    ]);
    await bus.close();
  });

  it('is not asked any more once the bus is closed, not even by an attempt that is under way', async () => {
    const [timers, region] = [new Timers(), uncertain(new MemoryHub())];
    const bus = await openRegionalBus({ own: openMemoryBus(), others: [region], after: timers.after });
    expect(timers.waiting.size).toBe(1);
    await bus.close();
    expect(timers.waiting.size).toBe(0);

    let answer = (_: Bus) => {};
    let isClosed = false;
    let attempts = 0;
    const slow: OtherRegion = {
      name: 'slow',
      open: () =>
        attempts++ === 0
          ? Promise.reject(new Error('not yet'))
          : new Promise<Bus>((resolve) => {
              answer = resolve;
            }),
    };
    const other = await openRegionalBus({ own: openMemoryBus(), others: [slow], after: timers.after });
    await timers.run();
    await other.close();
    const late = openMemoryBus();
    answer({
      ...late,
      close: async () => {
        isClosed = true;
      },
    });
    await turn();
    expect({ isClosed, waiting: timers.waiting.size }).toEqual({ isClosed: true, waiting: 0 });
  });

  it('who has unsubscribed before it answers is neither told nor hears it', async () => {
    const west = new MemoryHub();
    const [timers, region, listener] = [new Timers(), uncertain(west), noted()];
    const bus = await openRegionalBus({ own: openMemoryBus(), others: [region], after: timers.after });
    const subscription = await bus.subscribe('a', listener.hear, listener.tell);
    await subscription.unsubscribe();
    region.answers = true;
    await timers.run();
    await openMemoryBus(west).publish('a', Uint8Array.of(1));
    await turn();
    expect(listener).toMatchObject({ heard: [], told: 0 });
    await bus.close();
  });
});

describe('a region whose link is lost', () => {
  it('does not delay a subscription, which is made there when the link is back, and told', async () => {
    const west = new MemoryHub();
    const [timers, region, listener] = [new Timers(), uncertain(west), noted()];
    region.answers = true;
    let refuses = false;
    let never = false;
    const wrapped: OtherRegion = {
      name: 'west',
      async open(onConnection) {
        const bus = await region.open(onConnection);
        return {
          ...bus,
          subscribe: (...words) => {
            if (never) return new Promise(() => {});
            return refuses ? Promise.reject(new Error('no answer in time')) : bus.subscribe(...words);
          },
        };
      },
    };
    const bus = await openRegionalBus({ own: openMemoryBus(), others: [wrapped], after: timers.after });
    region.tell('lost');
    never = true;
    // Resolves although the subscription there never does.
    await bus.subscribe('b', () => {});
    [never, refuses] = [false, true];
    await bus.subscribe('a', listener.hear, listener.tell);
    await turn();
    refuses = false;
    region.tell('restored');
    await timers.run();
    await openMemoryBus(west).publish('a', Uint8Array.of(4));
    await turn();
    expect(listener).toMatchObject({ heard: [4], told: 1 });
    await bus.close();
  });
});

describe('three regions', () => {
  it('hear each message once, and nothing goes round', async () => {
    const names = ['east', 'north', 'west'];
    const all = names.map(() => new MemoryHub());
    const buses = await Promise.all(
      all.map((own, i) =>
        openRegionalBus({
          own: openMemoryBus(own),
          others: all.flatMap((hub, j) => (i === j ? [] : [there(names[j]!, hub)])),
        }),
      ),
    );
    const listeners = await Promise.all(
      buses.map(async (bus) => {
        const listener = noted();
        await bus.subscribe('a', listener.hear, listener.tell);
        return listener;
      }),
    );
    for (const [i, bus] of buses.entries()) await bus.publish('a', Uint8Array.of(i));
    for (let i = 0; i < 5; i++) await turn();
    expect(listeners.map(({ heard }) => heard.toSorted())).toEqual([
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ]);
    expect(listeners.map(({ told }) => told)).toEqual([0, 0, 0]);
    for (const bus of buses) await bus.close();
  });
});

describe('what is published', () => {
  it('is the own region’s business alone: another one that takes nothing neither delays nor refuses it', async () => {
    const dead: OtherRegion = {
      name: 'west',
      open: async () => ({ ...openMemoryBus(), publish: () => new Promise<never>(() => {}) }),
    };
    const own = openMemoryBus();
    const bus = await openRegionalBus({ own, others: [dead] });
    await expect(bus.publish('a', Uint8Array.of(1))).resolves.toBeUndefined();
    await own.close();
    await expect(bus.publish('a', Uint8Array.of(1))).rejects.toMatchObject({ name: 'BusError' });
    await bus.close();
  });

  it('an onInterruption that throws is told, and hurts nobody', async () => {
    const [timers, region, listener, errors] = [new Timers(), uncertain(new MemoryHub()), noted(), [] as unknown[]];
    const failure = new Error('a listener failed');
    const bus = await openRegionalBus({
      own: openMemoryBus(),
      others: [region],
      after: timers.after,
      onHandlerError: (error) => errors.push(error),
    });
    await bus.subscribe(
      'a',
      () => {},
      () => {
        throw failure;
      },
    );
    await bus.subscribe('a', listener.hear, listener.tell);
    region.answers = true;
    await timers.run();
    expect(errors).toEqual([failure]);
    expect(listener.told).toBe(1);
    await bus.close();
  });
});
