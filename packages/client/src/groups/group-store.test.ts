/** A device's own acts in groups, and the logs that it keeps (docs/spec/groups.md section 6). */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import type { SelfRecord } from '../accounts/self-record.ts';
import { ALICE, BOB, CAROL, deviceOf } from '../testing/chain-world.ts';
import { Course, GroupWorld } from '../testing/group-world.ts';
import { GroupStore } from './group-store.ts';

let world: GroupWorld;
let course: Course;

beforeEach(async () => {
  world = await GroupWorld.open(deviceOf('alice', 1));
  course = new Course(ALICE);
  course.bring(ALICE, BOB, CAROL);
  await world.tell(deviceOf('alice', 1), course);
});

describe('a device', () => {
  it('without the account key reads and writes in groups, and changes none', async () => {
    const { ledger } = world;
    const self = { address: BOB, accountSeed: undefined } as SelfRecord;
    const random = seededRandom('linked');
    const linked = new GroupStore({ ledger, crypto: nodeCrypto(), random, now: () => 1, self, met: () => undefined });
    const { address } = linked.get(course.log.address);
    const refusal = expect.objectContaining({ code: 'not-administrator' });
    const leave = { kind: 'leave', invitation: new Uint8Array(0) } as const;
    await expect(ledger.commit((transaction) => linked.act(transaction, address, leave))).rejects.toEqual(refusal);
    await expect(ledger.commit((transaction) => linked.create(transaction, 'mine'))).rejects.toEqual(refusal);
    expect(linked.get(address).members.has(BOB)).toBe(true);
  });

  it('says by which rule the group does not allow what it tries, and leaves no trace of it', async () => {
    const { ledger, store } = world;
    const { address } = course.log;
    const rename = { kind: 'rename', subject: 'mine' } as const;
    await expect(ledger.commit((transaction) => store.act(transaction, address, rename))).rejects.toMatchObject({
      code: 'group-refused',
      message: expect.stringContaining('not-administrator'),
    });
    const invite = { kind: 'invite', members: [] } as const;
    await expect(ledger.commit((transaction) => store.act(transaction, address, invite))).rejects.toMatchObject({
      code: 'group-refused',
    });
    expect(store.get(address).log.size).toBe(course.log.size);
    await ledger.commit((transaction) =>
      store.act(transaction, address, { kind: 'leave', invitation: new Uint8Array(0) }),
    );
    await expect(ledger.commit((transaction) => store.act(transaction, address, rename))).rejects.toMatchObject({
      code: 'not-a-member',
    });
  });

  it('finds a group by the name that it has now, or by its address', async () => {
    const { store, ledger } = world;
    expect(store.named('trio').address).toBe(course.log.address);
    await ledger.commit((transaction) => store.create(transaction, 'trio'));
    expect(() => store.named('trio')).toThrow(expect.objectContaining({ code: 'no-such-group' }));
    expect(store.named(course.log.address).members.size).toBe(3);
    expect(() => store.named('quartet')).toThrow(expect.objectContaining({ code: 'no-such-group' }));
  });

  it('has the same log after a restart', async () => {
    const before = world.store.get(course.log.address);
    await world.reopen();
    const after = world.store.get(course.log.address);
    expect(after.log.heads).toEqual(before.log.heads);
    expect([...after.members.keys()]).toEqual([...before.members.keys()]);
  });
});
