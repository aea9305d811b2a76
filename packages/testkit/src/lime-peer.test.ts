/** Our devices and genuine liblime 5.3 devices over our key directory, both curves, both directions; what docs/interop.md reports. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { findPeer } from '../../../interop/lime-peer/lime-peer.mjs';
import { bounds } from './lime-peer/bounds.ts';
import { doors } from './lime-peer/doors.ts';
import { firstMessages } from './lime-peer/first-messages.ts';
import { foreignDomains } from './lime-peer/foreign-domains.ts';
import { groups } from './lime-peer/groups.ts';
import { identityChange } from './lime-peer/identity-change.ts';
import { keyUpkeep } from './lime-peer/key-upkeep.ts';
import { order } from './lime-peer/order.ts';
import { refusals } from './lime-peer/refusals.ts';
import { sdk } from './lime-peer/sdk.ts';
import { sessions } from './lime-peer/sessions.ts';
import { soak } from './lime-peer/soak.ts';
import type { Suite } from './lime-peer/suite.ts';
import { reportOf, Tally } from './lime-peer/tally.ts';
import { upstream } from './lime-peer/upstream.ts';
import { World } from './lime-peer/world.ts';

// A disk that is slow to sync: liblime does so at every message.
jest.setTimeout(60_000);

const program = findPeer();
const title = 'missing' in program ? `liblime 5.3 (skipped: the peer is ${program.missing})` : 'liblime 5.3';
const register = 'path' in program ? it : it.skip;
const tally = new Tally();

/** By the file that they are in. */
const SUITES: Readonly<Record<string, (suite: Suite) => void>> = {
  'first-messages': firstMessages,
  order,
  bounds,
  refusals,
  groups,
  sessions,
  'identity-change': identityChange,
  'key-upkeep': keyUpkeep,
  soak,
  doors,
  'foreign-domains': foreignDomains,
  upstream,
};

let world: World;

beforeAll(async () => {
  if ('path' in program) world = await World.open(program.path);
});

afterAll(async () => {
  await world?.close();
});

describe.each(['c25519', 'c448'] as const)(`${title} on %s`, (curve) => {
  for (const [name, suite] of Object.entries(SUITES))
    suite({ world: () => world, curve, it: tally.of(name, register) });
});

describe(title, () => {
  sdk({ world: () => world, it: tally.of('sdk', register) });
});

describe('docs/interop.md', () => {
  const { text, rows } = reportOf(1);

  it('reports every suite, and none that there is not, with its number of tests', () => {
    expect(Object.fromEntries(rows)).toEqual(tally.counts);
    expect(rows).toHaveLength(Object.keys(tally.counts).length);
  });

  it('adds up', () => {
    const total = Object.values(tally.counts).reduce((sum, count) => sum + count, 0);
    expect(text).toContain(`In all ${total} tests`);
  });
});
