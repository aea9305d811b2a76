/**
 * A random course of events in a group for property tests: five people with a log each, who act at the same time, hear of each other late
 * or never, act on what they knew long ago, and so fork their chains.
 */
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import type { GroupAction, SignedGroupEvent } from '@sealwire/wire/group-event';
import type { GroupLink } from '@sealwire/wire/group-link';
import { parseAccountAddress } from '@sealwire/wire/ids';
import fc from 'fast-check';
import { MembershipError } from '../errors.ts';
import type { Log } from '../log.ts';
import { createGroup, joinByLink, type Made, makeEvent, makeLink, type Signer } from '../making.ts';
import { stateOf } from '../state.ts';
import { quickCrypto } from './forging.ts';
import { AT } from './people.ts';

export const NAMES = ['ada', 'bob', 'cyn', 'dan', 'eve'] as const;
const ACTS = [
  'invite',
  'join',
  'leave',
  'remove',
  'remove',
  'promote',
  'promote',
  'demote',
  'rename',
  'make-link',
  'make-link',
  'use-link',
  'use-link',
  'use-link',
  'use-link',
  'revoke-link',
] as const;

export const PEOPLE: readonly (Signer & { readonly key: Uint8Array })[] = NAMES.map((name) => {
  const seed = seededRandom(name)(32);
  return {
    account: parseAccountAddress(`sip:${name}@example.org`),
    seed,
    key: quickCrypto.ed25519.publicKey(seed),
    at: AT,
  };
});

/** One step: who does what to whom, knowing what was known so many steps ago, and whom that one listens to afterwards. */
const step = fc.record({
  actor: fc.nat(NAMES.length - 1),
  act: fc.constantFrom(...ACTS),
  target: fc.nat(NAMES.length - 1),
  ago: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }) }),
  hears: fc.option(fc.nat(NAMES.length - 1)),
});

export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** `bob` and `cyn` are administrators, `dan` is a member, and `eve` has been invited; there are links; then the random part. */
export const courses = fc.array(step, { minLength: 4, maxLength: 30, size: 'max' });

/** All events of a course, in an order in which they can be learned. */
export function play(steps: readonly Step[]): { readonly start: Log; readonly events: readonly SignedGroupEvent[] } {
  const [ada, bob, cyn, dan, eve] = PEOPLE;
  let start = createGroup(quickCrypto, ada!, 'group', seededRandom('group')).log;
  const act = (who: Signer, action: Exclude<GroupAction, { kind: 'create' }>) => {
    start = makeEvent(start, who, action).log;
  };
  const members = [bob, cyn, dan, eve].map((one) => ({ address: one!.account, key: one!.key }));
  act(ada!, { kind: 'invite', members });
  for (const one of [bob!, cyn!, dan!]) act(one, { kind: 'join', invitation: stateOf(start).invited[0]!.invitation });
  act(ada!, { kind: 'promote', member: bob!.account });
  act(bob!, { kind: 'promote', member: cyn!.account });
  const links: GroupLink[] = [];
  for (const uses of [1, 2, 0]) {
    const made = makeLink(start, cyn!, { uses }, seededRandom(uses));
    start = made.log;
    links.push(made.link);
  }

  const events = start.events.map(({ signed }) => signed);
  const known: Log[][] = PEOPLE.map(() => [start]);
  for (const [i, { actor, act: what, target, ago, hears }] of steps.entries()) {
    const mine = known[actor]!;
    const made = tried(() => act1(mine.at(-1 - Math.min(ago, mine.length - 1))!, { actor, what, target, links, i }));
    if (made) {
      events.push(made.signed);
      mine.push(mine.at(-1)!.add([made.signed]).log);
    }
    if (hears !== null) mine.push(mine.at(-1)!.add(known[hears]!.at(-1)!.since(mine.at(-1)!.heads)).log);
  }
  return { start, events };
}

interface Doing {
  readonly actor: number;
  readonly what: Step['act'];
  readonly target: number;
  readonly links: GroupLink[];
  readonly i: number;
}

function act1(log: Log, { actor, what, target, links, i }: Doing): Made | undefined {
  const signer = { ...PEOPLE[actor]!, at: AT + i };
  const { account: member, key } = PEOPLE[target]!;
  switch (what) {
    case 'invite':
      return makeEvent(log, signer, { kind: 'invite', members: [{ address: member, key }] });
    case 'join': {
      const open = stateOf(log).invited.find(({ address }) => address === signer.account);
      return open && makeEvent(log, signer, { kind: 'join', invitation: open.invitation });
    }
    case 'leave':
      return makeEvent(log, signer, { kind: 'leave', invitation: new Uint8Array(0) });
    case 'remove':
    case 'promote':
    case 'demote':
      return actor === target && what === 'remove' ? undefined : makeEvent(log, signer, { kind: what, member });
    case 'rename':
      return makeEvent(log, signer, { kind: 'rename', subject: `name ${i}` });
    case 'make-link': {
      const made = makeLink(log, signer, { uses: 1 + (target % 2) }, seededRandom(i));
      links.push(made.link);
      return made;
    }
    case 'use-link':
      return links.length > 0 ? joinByLink(log, signer, links[target % links.length]!) : undefined;
    case 'revoke-link':
      return links.length > 0
        ? makeEvent(log, signer, { kind: 'link-revoked', link: links[target % links.length]!.link })
        : undefined;
  }
}

/** What the rules refuse is no step. */
function tried(act: () => Made | undefined): Made | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof MembershipError) return undefined;
    throw error;
  }
}
