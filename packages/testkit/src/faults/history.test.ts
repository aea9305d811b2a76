/** The oracle can say no: a fault test that finds nothing is worth something. */
import { describe, expect, it } from '@jest/globals';
import { type DeviceId, parseDeviceId } from '@sealwire/wire/ids';
import { type Delivery, judge, type SentMessage } from './history.ts';

const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => parseDeviceId(`sip:${name}@example.org;gr=1`)) as [
  DeviceId,
  DeviceId,
  DeviceId,
];
const sent: SentMessage[] = [0, 1, 2].map((number) => ({ sender: alice, number, recipients: [bob] }));
const delivery = (seq: number, number: number, connection = 1): Delivery => ({
  seq,
  sender: alice,
  number,
  connection,
});
const good = [delivery(1, 0), delivery(2, 1), delivery(3, 2)];
const KEPT = { lost: [], duplicated: [], reordered: [], foreign: [], repeats: 0 };

function verdict(deliveries: readonly Delivery[], recipient = bob) {
  return judge(sent, () => true, new Map([[recipient, deliveries]]));
}

describe('judge', () => {
  it('finds nothing where nothing is wrong, repeats of another connection included', () => {
    expect(verdict(good)).toEqual(KEPT);
    expect(verdict([...good, delivery(2, 1, 2), delivery(3, 2, 2)])).toEqual({ ...KEPT, repeats: 2 });
  });

  it('finds what was accepted and did not arrive, and nothing else', () => {
    const deliveries = new Map([[bob, [delivery(1, 0), delivery(2, 2)]]]);
    expect(judge(sent, () => true, deliveries).lost).toEqual([`${alice} #1 to ${bob}`]);
    expect(judge(sent, ({ number }) => number !== 1, deliveries)).toEqual(KEPT);
  });

  it('finds a second copy', () => {
    expect(verdict([...good, delivery(4, 1)])).toEqual({ ...KEPT, duplicated: [`${alice} #1 to ${bob}: 2 and 4`] });
  });

  it('finds another order, of the sender and of the mailbox', () => {
    expect(verdict([delivery(1, 0), delivery(2, 2), delivery(3, 1)]).reordered).toHaveLength(1);
    expect(verdict([delivery(2, 0), delivery(1, 1), delivery(3, 2)]).reordered).toHaveLength(1);
    expect(verdict([...good, delivery(3, 2)]).reordered).toHaveLength(1);
  });

  it('finds what was sent to somebody else, or by nobody, and two messages under one number', () => {
    expect(verdict(good, carol)).toMatchObject({ lost: { length: 3 }, foreign: { length: 3 } });
    expect(verdict([...good, delivery(4, 3)]).foreign).toHaveLength(1);
    expect(verdict([...good, delivery(1, 1, 2)]).foreign).toHaveLength(1);
  });
});
