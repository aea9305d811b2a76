/**
 * A server that lies, over a relay of two nodes: each attack with what the people see of it, which is all that they see
 * (docs/threat-model.md; the language is that of docs/testing.md section 5, with the verbs of `scenes/attacks.ts`). Groups whose
 * members are told different things: groups.test.ts; messages that are dropped, reordered or invented: chain.test.ts; all on two nodes, too.
 */
import { afterAll, beforeAll, it, jest } from '@jest/globals';
import { systemRandom } from '@sealwire/crypto/random';
import { type Constellation, startConstellation } from './constellation.ts';
import { ATTACKS } from './scenes/attacks.ts';
import { newRun } from './scenes/cast.ts';
import { play } from './scenes/play.ts';
import { VERBS } from './scenes/verbs.ts';

jest.setTimeout(60_000);

const PAIR = `
  alice > register
  bob > register
  alice > say bob hello
  bob < alice: hello`;

const TRIO = `
  alice > register
  bob > register
  carol > register
  alice > group create trio bob carol
  bob < alice invites to trio (alice)
  carol < alice invites to trio (alice)
  bob > group join trio
  alice < bob in trio: joined
  carol > group join trio
  alice < carol in trio: joined
  alice > say trio hello
  bob < carol in trio: joined
  bob < alice in trio: hello
  carol < bob in trio: joined
  carol < alice in trio: hello`;

const attacks: Record<string, string> = {
  'adds a device to somebody’s list': `${PAIR}
    server > insists alice bob
    alice > say bob secret => refused ghost-device`,

  'writes as a device that nobody signed': `${PAIR}
    server > renames bob alice
    alice > say bob who is this?
    bob < unreadable of alice: ghost-device`,

  'swaps an identity key': `
    alice > register
    bob > register
    server > swaps alice
    alice > say bob secret => refused identity-mismatch
    alice ! identity-change of bob
    alice > say bob secret => refused unsafe-device
    server > relents alice
    alice > trust bob => unsafe`,

  'adds a member to a group': `${TRIO}
    mallory > register
    server > insists alice bob mallory
    alice > say trio secret => refused device-mismatch`,

  'keeps a removal from who was removed, and lets it write on': `${TRIO}
    server > withholds carol
    alice > group remove trio carol
    bob < alice in trio: removed carol
    carol > say trio what did I miss?
    alice < refused message of carol: former-member
    bob < refused message of carol: former-member
    alice > say trio nothing
    bob < alice in trio: nothing
    server > relents carol
    carol < alice in trio: removed carol`,

  'replays and reorders what is told of a group': `${TRIO}
    server > withholds bob
    alice > group promote trio carol
    alice > group rename trio new name
    alice > group demote trio carol
    alice > say trio done
    server > shuffles bob 4
    bob < alice in trio: promoted carol
    bob < alice in trio: renamed new name
    bob < alice in trio: demoted carol
    bob < missed 3 of alice
    bob < alice in trio: done
    bob < late: 4 of alice
    bob < late: 3 of alice
    bob < late: 2 of alice
    carol < alice in trio: promoted carol
    carol < alice in trio: renamed new name
    carol < alice in trio: demoted carol
    carol < alice in trio: done`,

  'hides a device from who writes to it': `${PAIR}
    bob > link tablet
    bob ! devices +bob/tablet
    alice > say bob to both
    bob < alice: to both
    bob/tablet < alice: to both
    server > buries alice bob/tablet
    alice > say bob to one
    alice < skipped bob/tablet: said-gone
    bob < alice: to one
    server > relents alice
    alice > say bob to both again
    bob < alice: to both again
    bob/tablet < missed 1 of alice
    bob/tablet < alice: to both again`,

  'hides a new device from who compares': `${PAIR}
    server > freezes alice bob
    bob > link tablet
    bob ! devices +bob/tablet
    alice > scan bob => hidden-list
    alice > trust bob => untrusted`,

  'rolls a list of devices back': `${PAIR}
    server > remembers alice bob
    bob > link tablet
    bob ! devices +bob/tablet
    alice > devices bob => bob bob/tablet
    server > returns alice
    alice > devices bob => refused manifest-rollback
    bob > remove tablet
    bob/tablet ! stopped: device-removed
    bob ! devices -bob/tablet
    alice > devices bob => refused manifest-rollback
    server > relents alice
    alice > devices bob => bob`,
};

/** Where the key directory signs: what stands between it and a device is not the directory. */
const attacksOnSigned: Record<string, string> = {
  'says that somebody is not there': `${PAIR}
    server > denies alice bob
    alice > trust bob => refused directory-unsigned
    server > relents alice
    alice > trust bob => untrusted`,

  'does not sign any more': `${PAIR}
    server > freezes alice bob
    alice > trust bob => refused directory-unsigned
    server > relents alice
    alice > trust bob => untrusted`,
};

let constellation: Constellation;
let signing: Constellation;
beforeAll(async () => {
  const signingKey = systemRandom(32);
  constellation = await startConstellation({ relays: 2 });
  signing = await startConstellation({ relays: 2, signingKey: () => signingKey });
});
afterAll(async () => {
  await constellation.stop();
  await signing.stop();
});

const table = [
  ...Object.entries(attacks).map(([attack, script]) => ({ attack, script, on: () => constellation })),
  ...Object.entries(attacksOnSigned).map(([attack, script]) => ({ attack, script, on: () => signing })),
];

it.each(table)('T191: a server that $attack is found out', async ({ script, on }) => {
  const world = { origin: on().origin, patience: 30_000, run: newRun(systemRandom) };
  await play(script, world, { ...VERBS, ...ATTACKS });
});
