import { beforeEach, describe, expect, it } from '@jest/globals';
import { BOB, CAROL } from '../../testing/chain-world.ts';
import { FakeTime } from '../../testing/fake-time.ts';
import { ReceiptSchedule } from './receipt-schedule.ts';

let time: FakeTime;
let schedule: ReceiptSchedule;
let woken: number;
let random: Uint8Array;

beforeEach(() => {
  time = new FakeTime();
  woken = 0;
  random = new Uint8Array(2);
  schedule = new ReceiptSchedule(
    time,
    () => random,
    () => {
      woken += 1;
    },
  );
});

describe('receipts of their own', () => {
  it('are due after two seconds of quiet, each conversation for itself', async () => {
    schedule.heard(BOB);
    await time.pass(1_500);
    schedule.heard(BOB);
    schedule.heard(CAROL);
    await time.pass(1_999);
    expect([...schedule.due()]).toEqual([]);
    await time.pass(1);
    expect([...schedule.due()]).toEqual([BOB, CAROL]);
    expect([schedule.take(BOB), schedule.take(BOB), woken]).toEqual([true, false, 2]);
  });

  it('are due up to a second later, by chance', async () => {
    random = Uint8Array.of(128, 0);
    schedule.heard(BOB);
    await time.pass(2_499);
    expect(schedule.take(BOB)).toBe(false);
    await time.pass(1);
    expect(schedule.take(BOB)).toBe(true);
  });

  it('are due after 32 messages without quiet, and not before', async () => {
    for (let n = 1; n < 32; n++) schedule.heard(BOB);
    expect(schedule.take(BOB)).toBe(false);
    schedule.heard(BOB);
    expect(schedule.take(BOB)).toBe(true);
    await time.pass(10_000);
    expect([[...schedule.due()], woken, time.pending]).toEqual([[], 1, 0]);
  });

  it('wait for no timer when the link is lost, and are due at once on the next one', async () => {
    schedule.heard(BOB);
    schedule.offline();
    expect(time.pending).toBe(0);
    schedule.online([BOB, CAROL]);
    expect([...schedule.due()]).toEqual([BOB, CAROL]);
  });
});
