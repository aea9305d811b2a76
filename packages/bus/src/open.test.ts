import { describe, expect, it } from '@jest/globals';
import { openBus } from './open.ts';

describe('openBus', () => {
  it('opens the bus of one process', async () => {
    const bus = await openBus('memory:');
    const heard = new Promise<Uint8Array>((resolve) => {
      void bus.subscribe('a', resolve);
    });
    await bus.publish('a', Uint8Array.of(1));
    expect(await heard).toEqual(Uint8Array.of(1));
    await bus.close();
  });

  it('passes on who hears what a handler threw', async () => {
    const error = new Promise<unknown>((resolve) => {
      void openBus('memory:', { onHandlerError: resolve }).then(async (bus) => {
        await bus.subscribe('a', () => {
          throw new Error('a handler failed');
        });
        await bus.publish('a', Uint8Array.of(1));
      });
    });
    expect(await error).toMatchObject({ message: 'a handler failed' });
  });

  it.each([
    ['amqp://:secret@host', 'unknown scheme amqp:'],
    ['redis://:secret@host?db=1', 'redis://HOST'],
    ['redis://:secret@one,two', 'redis+sentinel:// or redis+cluster://'],
    ['redis+sentinel://:secret@one,two', 'redis+sentinel://HOST:PORT,HOST:PORT/NAME'],
    ['redis://:%secret@host', 'write it as %25'],
    ['redis+cluster://:secret@host/1', 'a cluster has one database'],
    ['redis://:secret@ho st:x', 'HOST:PORT'],
    ['redis://:secret@host:99999', 'HOST:PORT'],
    ['redis+sentinel://:secret@host:1/main?family=6', 'without options after a ?'],
    ['memory', 'no scheme; use memory: or redis://HOST:PORT'],
    ['', 'no scheme'],
  ])(
    'K14: refuses %j in one line with the fix, and without repeating what may hold a password',
    async (url, problem) => {
      const error = await openBus(url).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'BusError', kind: 'unavailable' });
      expect((error as Error).message).toContain(problem);
      expect((error as Error).message).not.toMatch(/\n|secret/);
    },
  );
});
