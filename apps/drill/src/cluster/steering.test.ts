/** Where people are led: by what regions answer, and by who takes one out. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Link } from './link.ts';
import { Steering } from './steering.ts';

const EAST = 1;
const WEST = 2;
let ready: Set<number>;
let deeds: string[];
let steering: Steering;

beforeEach(() => {
  ready = new Set([EAST, WEST]);
  deeds = [];
  const way = (name: string) =>
    ({
      lead: (port: number) => deeds.push(`${name} to ${port}`),
      break: (port: number) => deeds.push(`${name} broken at ${port}`),
    }) as unknown as Link;
  const region = (name: string, port: number) => ({ name, servers: () => [port], way: way(name), front: port * 10 });
  steering = new Steering([region('east', EAST), region('west', WEST)], async (port) => ready.has(port));
});

async function looks(times: number): Promise<string[]> {
  for (let i = 0; i < times; i++) await steering.look();
  return deeds.splice(0);
}

describe('people of a region', () => {
  it('are led away after three answers that it is not ready, lose what they have there, and are led home after three that it is', async () => {
    ready.delete(WEST);
    expect(await looks(2)).toEqual([]);
    expect(await looks(1)).toEqual(['west to 10', 'west broken at 20']);
    expect(steering.isHome('west')).toBe(false);
    ready.add(WEST);
    expect(await looks(2)).toEqual([]);
    // What they have elsewhere is well, and stays.
    expect(await looks(1)).toEqual(['west to 20']);
    expect(steering.isHome('west')).toBe(true);
  });

  it('stay while it answers now and then', async () => {
    ready.delete(WEST);
    await looks(2);
    ready.add(WEST);
    await looks(1);
    ready.delete(WEST);
    expect(await looks(2)).toEqual([]);
  });

  it('stay where they are when no region is ready', async () => {
    ready.clear();
    expect(await looks(5)).toEqual([]);
  });

  it('are led away from one that is taken out, keep what they have there, and come home when it is put back', async () => {
    steering.takeOut('west');
    expect(deeds.splice(0)).toEqual(['west to 10']);
    // It ends meanwhile, and is ready again before it is put back.
    ready.delete(WEST);
    expect(await looks(4)).toEqual([]);
    steering.close('west');
    expect(deeds.splice(0)).toEqual(['west broken at 20']);
    ready.add(WEST);
    expect(await looks(4)).toEqual([]);
    steering.putBack('west');
    expect(deeds).toEqual(['west to 20']);
  });
});
