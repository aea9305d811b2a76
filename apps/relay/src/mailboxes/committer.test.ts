import { describe, expect, it } from '@jest/globals';
import type { Acknowledgement, AppendResult, Mail } from '@sealwire/store/port';
import type { DeviceId } from '@sealwire/wire/ids';
import { DEFAULT_SETTINGS } from '../settings.ts';
import type { Session } from '../sockets/session.ts';
import { FakeTime } from '../testing/fake-time.ts';
import { messageId } from '../testing/test-client.ts';
import { turns } from '../testing/test-relay.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { Committer, type Submission } from './committer.ts';

const session = {
  device: 'sip:a@b;gr=1' as DeviceId,
  number: 7,
  submitted() {},
  settled() {},
} as unknown as Session;

function submission(number: number, bytes = 10): Submission {
  return {
    session,
    sender: session.device,
    id: messageId(number),
    digest: new Uint8Array(8),
    at: 0,
    shared: [],
    recipients: [],
    unwanted: [],
    bytes,
  };
}

/** Mailboxes whose writes end when the test says so. */
function open(settings: Partial<typeof DEFAULT_SETTINGS> = {}) {
  const time = new FakeTime();
  const writes: { batch: readonly Mail[]; numbers: number[]; end: (error?: Error) => void }[] = [];
  const acknowledged: (readonly Acknowledgement[])[] = [];
  const told: string[] = [];
  const numberOf = (mail: Mail) => mail.id[15]! + mail.id[14]! * 256;
  let refuse: Error | undefined;
  const committer = new Committer(
    {
      append: (batch) =>
        new Promise<AppendResult[]>((resolve, reject) => {
          const results = batch.map((): AppendResult => ({ status: 'accepted', seqs: [], refused: [] }));
          writes.push({
            batch,
            numbers: batch.map(numberOf),
            end: (error) => (error ? reject(error) : resolve(results)),
          });
        }),
      acknowledge: async (batch) => {
        acknowledged.push(batch);
        if (refuse) throw refuse;
        return batch.map(() => 'done');
      },
    },
    new Acknowledgements(),
    { ...DEFAULT_SETTINGS, ...settings },
    { horizon: () => 0 },
    time,
    {
      appended: (batch) => told.push(`accepted ${batch.map(numberOf)}`),
      unknown: (batch) => told.push(`unknown ${batch.map(numberOf)}`),
      superseded: () => told.push('superseded'),
      acknowledgeFailed: () => told.push('acknowledge failed'),
      unexpected: () => told.push('unexpected'),
    },
  );
  return { time, committer, writes, acknowledged, told, refuse: (error?: Error) => (refuse = error) };
}

describe('Committer', () => {
  it('writes when a turn brings nothing more; while a write is in flight the next batch collects, in order', async () => {
    const { committer, writes, told } = open();
    for (const number of [1, 2]) committer.submit(submission(number));
    await turns(1);
    committer.submit(submission(3));
    await turns(2);
    for (const number of [4, 5]) committer.submit(submission(number));
    await turns(4);
    expect(writes.map(({ numbers }) => numbers)).toEqual([[1, 2, 3]]);
    expect(told).toEqual([]);
    writes[0]!.end();
    await turns(3);
    expect(told).toEqual(['accepted 1,2,3']);
    expect(writes[1]!.numbers).toEqual([4, 5]);
  });

  it('does not wait for ever when each turn brings something', async () => {
    const { committer, writes } = open();
    for (let number = 1; writes.length === 0 && number <= 100; number++) {
      committer.submit(submission(number));
      await turns(1);
    }
    expect(writes[0]?.numbers.length).toBe(32);
  });

  it('bounds a batch in messages and in bytes, but always takes one', async () => {
    const { committer, writes } = open({ batchMessages: 3, batchBytes: 100 });
    for (const [number, bytes] of [
      [1, 10],
      [2, 10],
      [3, 10],
      [4, 90],
      [5, 20],
      [6, 500],
    ] as const)
      committer.submit(submission(number, bytes));
    for (let i = 0; i < 4; i++) {
      await turns(3);
      writes[i]!.end();
    }
    expect(writes.map(({ numbers }) => numbers)).toEqual([[1, 2, 3], [4], [5], [6]]);
  });

  it('B08: refuses what would wait beyond the bounds', async () => {
    const { committer } = open({ waitingMessages: 2 });
    expect([1, 2, 3].map((number) => committer.submit(submission(number)))).toEqual([true, true, false]);
    const other = open({ waitingBytes: 15 });
    expect([1, 2, 3].map((number) => other.committer.submit(submission(number)))).toEqual([true, true, false]);
  });

  it('B08: what waits behind the next batch does not keep the memory of its socket’s read', async () => {
    const { committer, writes } = open({ batchMessages: 1 });
    const read = new Uint8Array(65_536).fill(7);
    const body = read.subarray(100, 110);
    for (const number of [1, 2]) {
      read.set(messageId(number), 0);
      committer.submit({
        ...submission(number),
        id: read.subarray(0, 16) as Mail['id'],
        shared: [body],
        recipients: ['sip:b@b;gr=1', 'sip:c@b;gr=1'].map((device) => ({
          device: device as DeviceId,
          own: [read.subarray(200, 203)],
        })),
      });
    }
    read.fill(0);
    await turns(2);
    writes[0]!.end();
    await turns(3);
    const { id, shared, recipients } = writes[1]!.batch[0]!;
    const bytes = [id, ...shared, ...recipients.flatMap(({ own }) => own)];
    expect(bytes).toEqual([messageId(2), ...[10, 3, 3].map((length) => new Uint8Array(length).fill(7))]);
    for (const piece of bytes) expect(piece.buffer.byteLength).toBe(piece.length);
  });

  it('an unknown outcome is told, and the next batch is written', async () => {
    const { committer, writes, told } = open();
    committer.submit(submission(1));
    await turns(2);
    committer.submit(submission(2));
    writes[0]!.end(new Error('test'));
    await turns(3);
    writes[1]!.end();
    await turns(1);
    expect(told).toEqual(['unknown 1', 'accepted 2']);
  });

  it('merges the acknowledgements of a session and writes them once in their time', async () => {
    const { time, committer, acknowledged } = open();
    committer.acknowledge(session, 3);
    committer.acknowledge(session, 5);
    committer.acknowledge(session, 4);
    await turns(2);
    expect(acknowledged).toEqual([]);
    time.pass(DEFAULT_SETTINGS.ackEveryMs);
    await turns(2);
    expect(acknowledged).toEqual([[{ device: session.device, session: 7, upTo: 5, also: [] }]]);
  });

  it('keeps acknowledgements that could not be written, with what comes meanwhile', async () => {
    const { time, committer, acknowledged, told, refuse } = open();
    refuse(new Error('test'));
    committer.acknowledge(session, 3);
    time.pass(DEFAULT_SETTINGS.ackEveryMs);
    await turns(2);
    expect(told).toEqual(['acknowledge failed']);
    refuse(undefined);
    committer.acknowledge(session, 4);
    time.pass(1_000);
    await turns(2);
    expect(acknowledged.at(-1)).toEqual([{ device: session.device, session: 7, upTo: 4, also: [] }]);
  });

  it('is idle when all is written', async () => {
    const { committer, writes, acknowledged } = open();
    await committer.idle();
    committer.submit(submission(1));
    committer.acknowledge(session, 1);
    let idle = false;
    const done = committer.idle().then(() => {
      idle = true;
    });
    await turns(2);
    expect([acknowledged.length, idle]).toEqual([1, false]);
    writes[0]!.end();
    await done;
  });
});
