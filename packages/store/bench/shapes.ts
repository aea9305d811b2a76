/**
 * Two shapes of a mailbox on a MongoDB-compatible server, on the bare driver (docs/adr/0034):
 * `npm run bench:shapes -w packages/store -- --store=mongodb://HOST/DATABASE [--watch=gateway:PID] [--watch=database:PID]`.
 *
 * A. Number and message in one change of the mailbox: `$inc` and `$push` into its bucket; then the message ids.
 * B. Numbers, then message ids, then messages by one insertMany: as built.
 *
 * Beside a plain insertMany of as many documents. All take turns in one run; medians over the slices. Processor time is that of the
 * client, and of the processes that `--watch` names with all that these start: what else they do meanwhile is in it.
 */
import { performance } from 'node:perf_hooks';
import { systemRandom } from '@sealwire/crypto/random';
import { createConnection, type mongo } from 'mongoose';
import { processorTime, watchedOf } from './processor-time.ts';

const SLICES = 5;
/** A slice is at least so many messages. */
const MESSAGES = 1_000;
/** Of these a dense batch fills few, again and again: the messages of a mailbox that nobody fetched yet. */
const DENSE = 10;
const BATCHES = [1, 10, 100, 1_000];

type Insert = (boxes: readonly Buffer[]) => Promise<unknown>;
interface Box {
  readonly _id: Buffer;
}

const url = process.argv.find((arg) => arg.startsWith('--store='))?.slice('--store='.length);
if (url === undefined) throw new Error('--store=mongodb://HOST/DATABASE names no server');
const watched = watchedOf(process.argv);
const connection = await createConnection(url, { retryWrites: false, promoteBuffers: true }).asPromise();
const db = connection.db!;
const run = systemRandom(8);
const body = Buffer.from(systemRandom(1_154));
const digest = Buffer.from(systemRandom(32));
const from = Buffer.from(systemRandom(8));
const collection = (name: string): mongo.Collection<Box> => db.collection<Box>(`bench_${name}`);
const buckets = collection('buckets');
const [heads, accepted, mails, plain] = [
  collection('heads'),
  collection('accepted'),
  collection('mails'),
  collection('plain'),
];
await mails.createIndex({ at: 1 });
const last = new Map<string, number>();
let made = 0;

const shapes: Readonly<Record<string, Insert>> = {
  'plain insertMany': (boxes) => plain.insertMany(boxes.map((box, i) => ({ _id: freshId(box), from, at: i, body }))),
  'A bucket': async (boxes) => {
    const keys = boxes.map((box) => freshId(box));
    await buckets.bulkWrite(
      [...grouped(boxes)].map(([_, { box, nths }]) => ({
        updateOne: {
          filter: { _id: box },
          update: {
            $inc: { last: nths.length },
            $push: { mails: { $each: nths.map((nth) => ({ key: keys[nth]!, from, at: nth, body })) } },
          } as never,
          upsert: true,
        },
      })),
      { ordered: false },
    );
    await accepted.insertMany(keys.map((_id, i) => ({ _id, digest, to: [{ box: boxes[i]! }] })));
  },
  'B as built': async (boxes) => {
    const keys = boxes.map((box) => freshId(box));
    const groups = grouped(boxes);
    const to = boxes.map(() => 0);
    await heads.bulkWrite(
      [...groups].map(([name, { box, nths }]) => {
        const before = last.get(name) ?? 0;
        for (const [i, nth] of nths.entries()) to[nth] = before + i + 1;
        last.set(name, before + nths.length);
        return {
          updateOne: {
            filter: { _id: box },
            update: { $set: { last: before + nths.length } } as never,
            upsert: true,
          },
        };
      }),
      { ordered: false },
    );
    await accepted.insertMany(keys.map((_id, i) => ({ _id, digest, to: [{ box: boxes[i]!, seq: to[i]! }] })));
    await mails.insertMany(
      boxes.map((box, i) => ({ _id: mailId(box, to[i]!), key: keys[i]!, from, at: i, body })),
      { ordered: true },
    );
  },
};

for (const [name, count] of [
  ['sparse: each message its own mailbox', 1_000],
  [`dense: ${DENSE} mailboxes`, DENSE],
] as const)
  for (const size of BATCHES) {
    console.log(`${name}, batches of ${size}`);
    const figures = await compare(count, size);
    const peer = figures.get('plain insertMany')!;
    for (const [shape, one] of figures)
      console.log(
        `  ${shape.padEnd(17)} ${String(Math.round(1e6 / one['wall']!)).padStart(6)} messages/s (${(peer['wall']! / one['wall']!).toFixed(2)})  us CPU a message: ${Object.entries(
          one,
        )
          .filter(([what]) => what !== 'wall')
          .map(([what, us]) => `${what} ${us.toFixed(0)} (${(us / peer[what]!).toFixed(1)})`)
          .join(', ')}`,
      );
  }
for (const one of [buckets, heads, accepted, mails, plain]) await one.drop();
await connection.close();

/** Microseconds a message: of the clock, and of each process. */
async function compare(count: number, size: number): Promise<Map<string, Record<string, number>>> {
  const batches = Math.max(4, Math.min(100, MESSAGES / size));
  const slices = new Map(Object.keys(shapes).map((name) => [name, [] as Record<string, number>[]]));
  for (let slice = 0; slice <= SLICES; slice++) {
    // Mailboxes of this slice: each shape begins with the same ones, which hold nothing yet.
    const boxes = Array.from({ length: count }, (_, i) => boxOf(slice * 1_000 + i + size * 100_000 + count));
    for (const [name, insert] of Object.entries(shapes)) {
      const before = spent();
      for (let i = 0; i < batches; i++)
        await insert(Array.from({ length: size }, (_, j) => boxes[(i * size + j) % count]!));
      const after = spent();
      // The first slice warms up.
      if (slice > 0)
        slices
          .get(name)!
          .push(
            Object.fromEntries(
              Object.entries(after).map(([what, us]) => [what, (us - before[what]!) / (batches * size)]),
            ),
          );
    }
  }
  return new Map(
    [...slices].map(([name, all]) => [
      name,
      Object.fromEntries(Object.keys(all[0]!).map((what) => [what, median(all.map((one) => one[what]!))])),
    ]),
  );
}

function spent(): Record<string, number> {
  const { user, system } = process.cpuUsage();
  return {
    wall: performance.now() * 1e3,
    client: user + system,
    ...Object.fromEntries([...watched].map(([name, pid]) => [name, processorTime(pid)])),
  };
}

function grouped(boxes: readonly Buffer[]): Map<string, { readonly box: Buffer; readonly nths: number[] }> {
  const groups = new Map<string, { readonly box: Buffer; readonly nths: number[] }>();
  for (const [nth, box] of boxes.entries()) {
    const name = box.toString('latin1');
    const group = groups.get(name);
    if (group) group.nths.push(nth);
    else groups.set(name, { box, nths: [nth] });
  }
  return groups;
}

function boxOf(n: number): Buffer {
  const box = Buffer.alloc(16);
  box.writeUInt32BE(Math.imul(n + 1, 0x9e3779b1) >>> 0);
  box.writeUInt32BE(n, 4);
  box.set(run, 8);
  return box;
}

/** Of a message: 16 bytes of its sender and 16 that are its own. */
function freshId(box: Buffer): Buffer {
  const id = Buffer.alloc(32);
  box.copy(id);
  id.writeUInt32LE(Math.imul(++made, 0x9e3779b1) >>> 0, 16);
  id.set(run, 24);
  return id;
}

function mailId(box: Buffer, seq: number): Buffer {
  const id = Buffer.alloc(24);
  box.copy(id);
  id.writeUIntBE(seq, 18, 6);
  return id;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
