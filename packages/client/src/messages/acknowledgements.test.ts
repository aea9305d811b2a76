/**
 * When the receiver acknowledges (docs/spec/client.md section 6), seen with gaps, which ask neither engine nor directory. What it makes of
 * messages is in the testkit's tests of trust and delivery.
 */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '@sealwire/crypto/noble';
import type { Gap } from '@sealwire/wire/frames';
import { parseDeviceId } from '@sealwire/wire/ids';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { FakeTime, settle } from '../testing/fake-time.ts';
import { IncomingChains } from './chain/incoming-chains.ts';
import { Inbox } from './inbox.ts';
import { Receiver, type ReceiverOptions } from './receiver.ts';
import { SeenIds } from './seen.ts';

const WITHIN_MS = 100;
let time: FakeTime;
let inbox: Inbox;
let receiver: Receiver;
let acknowledged: number[];

beforeEach(async () => {
  time = new FakeTime();
  acknowledged = [];
  const ledger = await Ledger.open(new MemoryStorage());
  inbox = new Inbox(ledger);
  const me = parseDeviceId('sip:bob@example.org;gr=urn:uuid:1');
  const options = {
    ledger,
    inbox,
    seen: new SeenIds(ledger),
    heard: new IncomingChains(ledger, nobleCrypto(), me),
    me,
    timers: time,
    acknowledge: (seq: number) => acknowledged.push(seq),
  };
  // A gap is nobody's message: what would judge and open one is not there.
  receiver = new Receiver(options as unknown as ReceiverOptions);
});

const gap = (seq: number): Gap => ({ kind: 'gap', count: 1, fromSeq: seq, toSeq: seq, reason: 'trimmed' });
const caughtUp = { kind: 'caught-up', lastSeq: 0 } as const;

describe('an acknowledgement', () => {
  it('is one for all that was stored within its time, and names the last of it', async () => {
    for (const seq of [1, 2]) receiver.take(gap(seq));
    await time.pass(WITHIN_MS - 1);
    receiver.take(gap(3));
    await receiver.idle();
    expect(acknowledged).toEqual([]);
    await time.pass(1);
    expect(acknowledged).toEqual([3]);
    await time.pass(10 * WITHIN_MS);
    expect(acknowledged).toEqual([3]);
  });

  it('does not wait when a whole batch was stored', async () => {
    for (let seq = 1; seq <= 32; seq++) receiver.take(gap(seq));
    await receiver.idle();
    expect(acknowledged).toEqual([32]);
    await time.pass(WITHIN_MS);
    expect(acknowledged).toEqual([32]);
  });

  it('follows no marker alone: where nothing was delivered there is nothing to acknowledge', async () => {
    receiver.take(caughtUp);
    await receiver.idle();
    await time.pass(WITHIN_MS);
    expect(acknowledged).toEqual([]);
  });

  it('of one link is not made up for on the next', async () => {
    receiver.take(gap(7));
    await receiver.idle();
    receiver.offline();
    await time.pass(WITHIN_MS);
    receiver.take(caughtUp);
    await receiver.idle();
    await time.pass(WITHIN_MS);
    expect(acknowledged).toEqual([]);
    receiver.take(gap(7));
    await receiver.idle();
    await time.pass(WITHIN_MS);
    expect(acknowledged).toEqual([7]);
  });

  it('is made for a gap that was told before: its acknowledgement got lost', async () => {
    for (const seq of [1, 1]) {
      receiver.take(gap(seq));
      await receiver.idle();
      await time.pass(WITHIN_MS);
    }
    expect(acknowledged).toEqual([1, 1]);
  });
});

describe('a link that ends', () => {
  it('takes with it what was not stored yet: the relay has it', async () => {
    receiver.take(gap(1));
    receiver.take(gap(2));
    receiver.offline();
    await receiver.idle();
    await settle();
    receiver.take(caughtUp);
    await receiver.idle();
    const events = [];
    for await (const event of inbox.read({ untilCaughtUp: true })) events.push(event.kind);
    expect(events).toEqual(['caught-up']);
  });
});
