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
    ['redis://:secret@host', 'unknown scheme redis:'],
    ['memory', 'no scheme'],
    ['', 'no scheme'],
  ])(
    'K14: refuses %j in one line with the fix, and without repeating what may hold a password',
    async (url, problem) => {
      const error = await openBus(url).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'BusError', kind: 'unavailable' });
      expect((error as Error).message).toContain(problem);
      expect((error as Error).message).toContain('use memory:');
      expect((error as Error).message).not.toMatch(/\n|secret/);
    },
  );
});
