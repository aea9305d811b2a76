/** Real Linphones 5.3 whose LIME server is our directory; what docs/interop.md reports. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { findLinphone } from '../../../interop/linphone/linphone.mjs';
import { endAllProcesses } from './faults/source-process.ts';
import { reportOf, Tally } from './lime-peer/tally.ts';
import { admission } from './real-linphone/admission.ts';
import { conversations } from './real-linphone/conversations.ts';
import { credentials } from './real-linphone/credentials.ts';
import { directory } from './real-linphone/directory.ts';
import { network } from './real-linphone/network.ts';
import { sdk } from './real-linphone/sdk.ts';
import type { Suite } from './real-linphone/suite.ts';
import { World } from './real-linphone/world.ts';

jest.setTimeout(120_000);

const found = findLinphone();
const title = 'missing' in found ? `Linphone 5.3 (skipped: it is ${found.missing})` : 'Linphone 5.3';
const register = 'path' in found ? it : it.skip;
const tally = new Tally();

type Suites = Readonly<Record<string, (suite: Suite) => void>>;
/** By the file that they are in. */
const ON_EACH_CURVE: Suites = { conversations, sdk };
/** Of whom the directory knows, and what it answers: the curve is nothing to it. */
const ON_ONE_CURVE: Suites = { credentials, admission, directory, network };

describe.each([
  ['c25519', { ...ON_EACH_CURVE, ...ON_ONE_CURVE }],
  ['c448', ON_EACH_CURVE],
] as const)(`${title} on %s`, (curve, suites) => {
  let world: World;

  beforeAll(async () => {
    if ('path' in found) world = await World.open(found.path, curve);
  });

  afterAll(async () => {
    await world?.close();
    await endAllProcesses();
  });

  for (const [name, suite] of Object.entries(suites))
    suite({ world: () => world, it: tally.of(name, register) as never });
});

describe('docs/interop.md', () => {
  const { text, rows } = reportOf(4);

  it('reports every suite with a real Linphone, and none that there is not, with its number of tests', () => {
    expect(Object.fromEntries(rows)).toEqual(tally.counts);
    expect(rows).toHaveLength(Object.keys(tally.counts).length);
  });

  it('adds up what was tried with a real Linphone', () => {
    const total = Object.values(tally.counts).reduce((sum, count) => sum + count, 0);
    expect(text).toContain(`In all ${total} tests`);
  });
});
