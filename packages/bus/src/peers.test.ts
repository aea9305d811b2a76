import { describe, expect, it } from '@jest/globals';
import { parsePeers } from './peers.ts';

const OWN = 'redis://:secret@10.1.0.5:6379';

describe('BUS_PEERS', () => {
  it('has a name and a URL for each other region, with spaces or lines between, cluster and sentinels too', () => {
    expect(parsePeers('', 'memory:')).toEqual([]);
    expect(
      parsePeers('west=redis://:pw@10.2.0.5:6379\n  north=rediss+cluster://10.3.0.5:7000,10.3.0.6:7000 ', OWN),
    ).toEqual([
      { name: 'west', url: 'redis://:pw@10.2.0.5:6379' },
      { name: 'north', url: 'rediss+cluster://10.3.0.5:7000,10.3.0.6:7000' },
    ]);
  });

  it.each([
    ['redis://:secret@10.2.0.5', OWN, 'write NAME=redis://HOST:PORT'],
    ['West=redis://:secret@10.2.0.5', OWN, 'names in small letters'],
    ['west=memory:', OWN, 'write NAME=redis://HOST:PORT'],
    ['west=redis://:secret@10.2.0.5', 'memory:', 'set BUS_URL'],
    ['west=redis://:secret@10.2.0.5?db=1', OWN, 'west: the bus URL is wrong'],
    ['west=redis://:secret@10.2.0.5 west=redis://:secret@10.3.0.5', OWN, 'two regions are named west'],
    ['west=redis://:secret@10.1.0.5/2', OWN, 'west is the Redis of BUS_URL, too'],
    ['west=redis://:secret@10.2.0.5 north=redis://10.2.0.5:6379', OWN, 'north is the Redis of west, too'],
    [Array.from({ length: 9 }, (_, i) => `r${i}=redis://:secret@10.2.0.${i}`).join(' '), OWN, 'more than 8'],
  ])('K14: refuses %j in one line with the fix, without repeating what may hold a password', (text, own, problem) => {
    let message = '';
    try {
      parsePeers(text, own);
    } catch (error) {
      expect(error).toMatchObject({ name: 'BusError' });
      ({ message } = error as Error);
    }
    expect(message).toContain(problem);
    expect(message).not.toMatch(/\n|secret/);
  });
});
