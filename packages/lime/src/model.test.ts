/** F14: three devices and a network that delays, reorders, repeats and drops; against a model that knows what was written. */
import { expect, it } from '@jest/globals';
import type { SuiteName } from '@sealwire/crypto/port';
import fc from 'fast-check';
import type { Policy } from './messages/policy.ts';
import { type Letter, type Person, World } from './testing/world.ts';

const NAMES = ['alice', 'bob', 'carol'];

const action = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('send' as const), from: fc.nat(2), to: fc.nat(1), long: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('broadcast' as const), from: fc.nat(2), long: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('deliver' as const), pick: fc.nat(500) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('repeat' as const), pick: fc.nat(500) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), pick: fc.nat(500) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), who: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('renew' as const), who: fc.nat(2), peer: fc.nat(1) }) },
);

interface Parcel {
  readonly to: Person;
  readonly letter: Letter;
  /** What the model expects to be read. */
  readonly content: string;
}

/** In a hybrid suite with KEM steps as often as they can be. */
const RUNS: readonly (readonly [SuiteName, number])[] = [
  ['c25519', 60],
  ['c25519mlk512', 30],
];

it.each(RUNS)(
  'on %s every letter is read exactly once as it was written, a repeat never, and a refusal changes nothing',
  (suite, numRuns) => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (script) => {
        const world = new World({ kemStepMessages: 2 });
        const people = NAMES.map((name) => world.person(name, suite));
        const underWay: Parcel[] = [];
        const delivered: Parcel[] = [];
        const take = (pick: number) => underWay.splice(pick % underWay.length, 1)[0]!;
        const deliver = (parcel: Parcel) => {
          expect(parcel.to.read(parcel.letter)).toBe(parcel.content);
          delivered.push(parcel);
        };
        const post = (from: Person, to: Person[], content: string, policy: Policy) => {
          const letters = from.writeToAll(to, content, { policy });
          letters.forEach((letter, i) => {
            underWay.push({ to: to[i]!, letter, content });
          });
        };

        script.forEach((each, i) => {
          switch (each.kind) {
            case 'send': {
              const from = people[each.from]!;
              const to = others(people, from)[each.to]!;
              post(from, [to], `message ${i}`, each.long ? 'cipherMessage' : 'DRMessage');
              break;
            }
            case 'broadcast': {
              const from = people[each.from]!;
              post(from, others(people, from), `to all ${i}${'!'.repeat(each.long ? 400 : 0)}`, 'optimizeUploadSize');
              break;
            }
            case 'deliver':
              if (underWay.length > 0) deliver(take(each.pick));
              break;
            case 'repeat': {
              const again = delivered[each.pick % Math.max(1, delivered.length)];
              if (!again) break;
              const before = again.to.state();
              expect(again.to.refusal(again.letter)).not.toBe('read');
              expect(again.to.state()).toBe(before);
              break;
            }
            case 'drop':
              if (underWay.length > 0) take(each.pick);
              break;
            case 'restart':
              people[each.who]!.restart();
              break;
            case 'renew': {
              const who = people[each.who]!;
              who.renewSession(others(people, who)[each.peer]!);
              break;
            }
          }
        });
        // What is still under way arrives in the end, the newest first.
        while (underWay.length > 0) deliver(take(underWay.length - 1));
      }),
      { seed: 14, numRuns },
    );
  },
);

function others(people: readonly Person[], person: Person): Person[] {
  return people.filter((each) => each !== person);
}
