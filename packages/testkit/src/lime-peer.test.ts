/** Our devices and genuine liblime 5.3 devices over our key directory, both curves, both directions. */
import { afterAll, beforeAll, describe, it, jest } from '@jest/globals';
import { findPeer } from '../../../interop/lime-peer/lime-peer.mjs';
import { bounds } from './lime-peer/bounds.ts';
import { doors } from './lime-peer/doors.ts';
import { firstMessages } from './lime-peer/first-messages.ts';
import { groups } from './lime-peer/groups.ts';
import { identityChange } from './lime-peer/identity-change.ts';
import { keyUpkeep } from './lime-peer/key-upkeep.ts';
import { order } from './lime-peer/order.ts';
import { refusals } from './lime-peer/refusals.ts';
import { sdk } from './lime-peer/sdk.ts';
import { sessions } from './lime-peer/sessions.ts';
import { soak } from './lime-peer/soak.ts';
import { trust } from './lime-peer/trust.ts';
import { World } from './lime-peer/world.ts';

// A disk that is slow to sync: liblime does so at every message.
jest.setTimeout(60_000);

const program = findPeer();
const title = 'missing' in program ? `liblime 5.3 (skipped: the peer is ${program.missing})` : 'liblime 5.3';

let world: World;

beforeAll(async () => {
  if ('path' in program) world = await World.open(program.path);
});

afterAll(async () => {
  await world?.close();
});

const common = { world: () => world, it: 'path' in program ? it : it.skip };

describe.each(['c25519', 'c448'] as const)(`${title} on %s`, (curve) => {
  const suite = { ...common, curve };
  firstMessages(suite);
  order(suite);
  bounds(suite);
  refusals(suite);
  groups(suite);
  sessions(suite);
  identityChange(suite);
  trust(suite);
  keyUpkeep(suite);
  soak(suite);
  doors(suite);
});

describe(title, () => {
  sdk(common);
});
