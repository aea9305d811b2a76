/** Three people in a group, and one who should not be: the beginning of every attack in the tests. */
import { expect } from '@jest/globals';
import type { SignedGroupEvent } from '@sealwire/wire/group-event';
import type { Log } from '../log.ts';
import { stateOf } from '../state.ts';
import { Group, type Person, person } from './people.ts';

export const ada = person('ada');
export const bob = person('bob');
export const cyn = person('cyn');
export const dan = person('dan');
export const mal = person('mal');
export const NOBODY = new Uint8Array(0);

/** `ada` and `bob` are administrators, `cyn` is a member. */
export function trio(): Group {
  const group = Group.by(ada);
  group.bring(ada, bob, 'administrator');
  group.bring(ada, cyn);
  return group;
}

export function inviting(...members: Person[]) {
  return { kind: 'invite' as const, members: members.map(({ account, key }) => ({ address: account, key })) };
}

/** The code with which the log refuses the last of these. All that it says must stay as it was. */
export function refusal(log: Log, ...events: SignedGroupEvent[]): string | undefined {
  const added = log.add(events);
  expect(stateOf(added.log)).toEqual(stateOf(log));
  expect(added.accepted).toEqual([]);
  return added.refused.at(-1)?.code;
}
