import { describe, expect, it } from '@jest/globals';
import { type Arrived, type Finding, follow, type IncomingChain, NOTHING_YET } from './incoming-chain.ts';

/** Message `number` after `previous`; `version` for another message under the same number. */
function message(
  number: number,
  previous: number,
  { newcomer = false, version = '', after = '', again = false } = {},
): Arrived {
  return {
    number,
    digest: `${number}${version}`,
    previous: previous > 0 ? { number: previous, digest: `${previous}${after}` } : undefined,
    newcomer,
    again,
  };
}

function findings(...messages: Arrived[]): { found: (Finding | undefined)[]; chain: IncomingChain } {
  let chain = NOTHING_YET;
  const found = messages.map((each) => {
    const next = follow(chain, each);
    chain = next.chain;
    return next.finding;
  });
  return { found, chain };
}

const found = (...messages: Arrived[]) => findings(...messages).found.filter((each) => each !== undefined);
const first = message(1, 0, { newcomer: true });
const hole = (from: number, last: number) => ({ kind: 'hole', first: from, last });

describe('a chain as its recipient sees it', () => {
  it('is whole', () => {
    expect(found(first, message(2, 1), message(3, 2))).toEqual([]);
  });

  it('begins anywhere for a newcomer, and at its beginning for everybody else', () => {
    expect(found(message(7, 6, { newcomer: true }), message(8, 7))).toEqual([]);
    expect(found(message(7, 6), message(8, 7))).toEqual([hole(1, 6)]);
  });

  it('what was sent again closes its hole, and neither it nor what was forked before is told of', () => {
    const { found, chain } = findings(
      first,
      message(4, 3),
      message(2, 1, { again: true }),
      message(3, 2, { again: true }),
    );
    expect(found).toEqual([undefined, hole(2, 3), undefined, undefined]);
    expect(chain.holes).toEqual([]);
    const restored = [message(3, 2, { version: 'x', after: 'x' }), message(2, 1, { version: 'x', again: true })];
    expect(findings(first, message(2, 1), message(3, 2), ...restored).found.filter(Boolean)).toEqual([
      { kind: 'fork' },
    ]);
  });

  it('skips what failed for good', () => {
    expect(found(first, message(4, 1), message(5, 4))).toEqual([]);
    expect(found(first, message(2, 1), message(3, 1))).toEqual([]);
  });

  it('has a hole where the previous one is not there: told once, closed by what comes late', () => {
    const { found, chain } = findings(first, message(5, 4), message(6, 5), message(3, 1), message(4, 3));
    expect(found).toEqual([undefined, hole(2, 4), undefined, { kind: 'late' }, { kind: 'late' }]);
    expect(chain.holes).toEqual([]);
  });

  it('narrows a hole by what its messages say of each other', () => {
    const { chain } = findings(first, message(9, 8), message(5, 4));
    expect(chain.holes).toEqual([
      { after: 1, number: 4, digest: '4' },
      { after: 5, number: 8, digest: '8' },
    ]);
  });

  it('forks where a number has two messages: seen, named by a later one, or missing', () => {
    expect(found(first, message(2, 1), message(2, 1, { version: 'b' }))).toEqual([{ kind: 'fork' }]);
    expect(found(first, message(2, 1), message(3, 2, { after: 'b' }))).toEqual([{ kind: 'fork' }]);
    expect(found(first, message(3, 2), message(2, 1, { version: 'b' }))).toEqual([hole(2, 2), { kind: 'fork' }]);
    expect(found(first, message(3, 2), message(4, 2, { after: 'b' }))).toEqual([hole(2, 2), { kind: 'fork' }]);
  });

  it('forks where a number was skipped, and now there was one', () => {
    expect(found(first, message(3, 1), message(4, 2))).toEqual([{ kind: 'fork' }]);
  });

  it('forks once, and goes on from there', () => {
    expect(found(first, message(2, 1), message(2, 1, { version: 'b' }), message(3, 2, { after: 'b' }))).toEqual([
      { kind: 'fork' },
    ]);
  });

  it('knows a sender that was set back further than it remembers', () => {
    const long = Array.from({ length: 40 }, (_, i) => message(i + 2, i + 1));
    expect(found(first, ...long, message(3, 2, { version: 'b' }))).toEqual([{ kind: 'fork' }]);
  });

  it('stays small: the oldest holes become one', () => {
    const gaps = Array.from({ length: 30 }, (_, i) => message(2 * i + 3, 2 * i + 2));
    const { chain, found } = findings(first, ...gaps);
    expect(found.filter((each) => each?.kind === 'hole')).toHaveLength(30);
    expect([chain.holes.length, chain.received.length]).toEqual([4, 16]);
    expect(chain.holes[0]).toEqual({ after: 1, number: 54, digest: '54' });
    expect(follow(chain, message(2, 1)).finding).toEqual({ kind: 'late' });
  });
});
