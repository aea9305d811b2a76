import { describe, expect, it } from '@jest/globals';
import { busContract } from './contract.ts';
import { MemoryHub, openMemoryBus } from './memory.ts';

let hub: MemoryHub;

busContract('memory', {
  reach: 'process',
  async open() {
    hub = new MemoryHub();
    const one = openMemoryBus(hub);
    const other = openMemoryBus(hub);
    return { one, other };
  },
  interrupt: () => hub.cut()(),
});

describe('the memory bus', () => {
  it('has a hub of its own unless it is given one', async () => {
    const heard: Uint8Array[] = [];
    const alone = openMemoryBus();
    await alone.subscribe('a', (message) => heard.push(message));
    await openMemoryBus().publish('a', Uint8Array.of(1));
    await alone.publish('a', Uint8Array.of(2));
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual([Uint8Array.of(2)]);
  });

  it('tells what a handler threw', async () => {
    const failure = new Error('a handler failed');
    const error = new Promise<unknown>((resolve) => {
      const bus = openMemoryBus(new MemoryHub(), resolve);
      void bus.subscribe('a', () => {
        throw failure;
      });
      void bus.publish('a', Uint8Array.of(1));
    });
    expect(await error).toBe(failure);
  });

  it('loses what is published while it is cut, and only that', async () => {
    const hub = new MemoryHub();
    const heard: Uint8Array[] = [];
    let interruptions = 0;
    const bus = openMemoryBus(hub);
    await bus.subscribe(
      'a',
      (message) => heard.push(message),
      () => interruptions++,
    );
    await bus.publish('a', Uint8Array.of(1));
    const mend = hub.cut();
    await bus.publish('a', Uint8Array.of(2));
    expect(interruptions).toBe(0);
    mend();
    expect(interruptions).toBe(1);
    await bus.publish('a', Uint8Array.of(3));
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual([Uint8Array.of(3)]);
  });

  it('keeps the order of one publisher', async () => {
    const heard: number[] = [];
    const bus = openMemoryBus();
    const done = new Promise<void>((resolve) => {
      void bus.subscribe('a', ([n]) => {
        heard.push(n ?? -1);
        if (heard.length === 100) resolve();
      });
    });
    for (let n = 0; n < 100; n++) void bus.publish('a', Uint8Array.of(n));
    await done;
    expect(heard).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });
});
