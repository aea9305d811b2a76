/**
 * CPU time of a message that is appended, with its repeat looked for, and acknowledged, each
 * durably: `npm run bench -w packages/store`. The LMDB store beside the fdatasync log; they take
 * turns in slices, so that the ratio survives a noisy machine. CPU time is the whole process's, the
 * kernel's work for it included.
 *
 * `-- --store=mongodb://HOST/DATABASE` puts the store of many nodes beside them, and
 * `--watch=gateway:PID --watch=database:PID` what its server's processes spend meanwhile, with all that they start.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { systemRandom } from '@sealwire/crypto/random';
import { type DeviceId, type MessageId, parseAccountAddress, parseDeviceId, parseMessageId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { openLmdbStore } from '../src/lmdb.ts';
import { openStore } from '../src/open.ts';
import type { Acknowledgement, Device, Mail, MailboxLimits, Store } from '../src/port.ts';
import { FdatasyncLog } from './fdatasync-log.ts';
import { processorTime, watchedOf } from './processor-time.ts';

const DEVICES = 1_000;
const SLICES = 8;
const ROUNDS_PER_SLICE = 25;

const SHAPES = [
  { name: 'sparse: 200 mailboxes × 1 message', mailboxes: 200, messages: 1 },
  { name: 'dense: 20 mailboxes × 16 messages', mailboxes: 20, messages: 16 },
  { name: 'single: 1 mailbox × 1 message', mailboxes: 1, messages: 1 },
] as const;

const limits: MailboxLimits = {
  messages: LIMITS.mailboxMessages.value,
  bytes: LIMITS.mailboxBytes.value,
  lifeMs: LIMITS.messageLifeMs.value,
  whenFull: 'refuse',
  memory: { ms: LIMITS.repeatMemoryMs.value, messages: LIMITS.repeatMemoryMessages.value },
};
const head = systemRandom(130);
const digest = systemRandom(32);
const ids = Buffer.from(systemRandom(16));
let made = 0;
const body = systemRandom(1024);
const folder = mkdtempSync(join(tmpdir(), 'sealwire-store-bench-'));

interface Figures {
  readonly cpu: number;
  readonly wall: number;
  /** Of the watched processes, while the server was the contender. */
  readonly others: readonly { readonly name: string; readonly us: number }[];
}

type Commit = (mails: readonly Mail[], acknowledgements: readonly Acknowledgement[]) => Promise<unknown>;

const devices: DeviceId[] = [];
for (let i = 0; i < DEVICES; i++)
  devices.push(
    parseDeviceId(`sip:user${i}@example.org;gr=urn:uuid:01234567-89ab-4def-8123-${String(i).padStart(12, '0')}`),
  );

const lmdb = await openLmdbStore({ path: join(folder, 'lmdb') });
await populate(lmdb);
const log = new FdatasyncLog(join(folder, 'log'));
const watched = watchedOf(process.argv);
const serverUrl = process.argv.find((arg) => arg.startsWith('--store='))?.slice('--store='.length);
const server = serverUrl === undefined ? undefined : await openStore(serverUrl, { production: false });
if (server) await populate(server);
const contenders: Readonly<Record<string, Commit>> = {
  lmdb: commitTo(lmdb),
  'fdatasync log': (mails, acknowledgements) => log.commit(mails, acknowledgements),
  ...(server && { server: commitTo(server) }),
};

console.log('us CPU per message: appended, checked for repeats, acknowledged (1,024 + 130 bytes)\n');
for (const { name, mailboxes, messages } of SHAPES) {
  const figures = await compare(mailboxes, messages);
  const ours = figures.get('lmdb');
  const peer = figures.get('fdatasync log');
  console.log(name);
  for (const [contender, { cpu, wall, others }] of figures) {
    const beside = contender === 'server' ? others.map(({ name, us }) => `  ${name} ${us.toFixed(0)} us`).join('') : '';
    console.log(
      `  ${contender.padEnd(14)} ${cpu.toFixed(2).padStart(8)} us  ${Math.round(1e6 / wall)} messages/s${beside}`,
    );
  }
  if (ours && peer) console.log(`  ratio to the fdatasync log: ${(ours.cpu / peer.cpu).toFixed(2)}\n`);
  const theirs = figures.get('server');
  if (ours && theirs)
    console.log(
      `  server to lmdb: CPU ${(theirs.cpu / ours.cpu).toFixed(1)}, rate ${(ours.wall / theirs.wall).toFixed(2)}\n`,
    );
}
await appendsPerSecond();
await lmdb.close();
await server?.close();
rmSync(folder, { recursive: true });

async function populate(store: Store): Promise<void> {
  await Promise.all(
    devices.map((id, i) => {
      const key = systemRandom(32);
      const address = parseAccountAddress(`sip:user${i}@example.org`);
      const device: Device = { id, identities: [{ suite: 'c25519', identityKey: key }], loginKey: key, addedAt: 1 };
      const manifest = { version: 1, bytes: key, signature: key };
      return store.accounts.create({ address, accountKey: systemRandom(32), createdAt: 1 }, manifest, [device]);
    }),
  );
}

function commitTo({ mailboxes }: Store): Commit {
  return (mails, acknowledgements) =>
    Promise.all([mailboxes.append(mails, limits), mailboxes.acknowledge(acknowledgements)]);
}

/**
 * Each round appends one batch and acknowledges the one before, in one turn, as a relay under load
 * does. Median over the slices.
 */
async function compare(count: number, messages: number): Promise<Map<string, Figures>> {
  const others = [...watched].map(([name, pid]) => ({ name, pid, us: [] as number[] }));
  const slices = new Map(Object.keys(contenders).map((name) => [name, { cpu: [] as number[], wall: [] as number[] }]));
  for (let slice = 0; slice <= SLICES; slice++)
    for (const [name, commit] of Object.entries(contenders)) {
      const batches = Array.from({ length: ROUNDS_PER_SLICE }, (_, i) =>
        batch((slice * 31 + i) * count, count, messages),
      );
      // What the preparation left behind is not the contender's.
      globalThis.gc?.();
      const before = name === 'server' ? others.map(({ pid }) => processorTime(pid)) : [];
      const started = performance.now();
      const cpu = process.cpuUsage();
      let acknowledgements: Acknowledgement[] = [];
      for (const mails of batches) {
        await commit(mails, acknowledgements);
        acknowledgements = mails.map(({ recipients: [recipient] }) => ({
          device: recipient?.device as DeviceId,
          session: 0,
          upTo: Number.MAX_SAFE_INTEGER,
        }));
        acknowledgements = acknowledgements.filter((_, i) => i % messages === 0);
      }
      await commit([], acknowledgements);
      const { user, system } = process.cpuUsage(cpu);
      const total = ROUNDS_PER_SLICE * count * messages;
      // The first slice warms up.
      if (slice === 0) continue;
      slices.get(name)?.cpu.push((user + system) / total);
      slices.get(name)?.wall.push(((performance.now() - started) * 1e3) / total);
      if (name === 'server')
        for (const [i, { pid, us }] of others.entries()) us.push((processorTime(pid) - before[i]!) / total);
    }
  const medians = others.map(({ name, us }) => ({ name, us: median(us) }));
  return new Map(
    [...slices].map(([name, { cpu, wall }]) => [name, { cpu: median(cpu), wall: median(wall), others: medians }]),
  );
}

function batch(first: number, count: number, messages: number): Mail[] {
  const mails: Mail[] = [];
  for (let i = 0; i < count; i++)
    for (let j = 0; j < messages; j++) {
      const device = devices[(first + i) % DEVICES] as DeviceId;
      const sender = devices[(first + i + 500) % DEVICES] as DeviceId;
      mails.push({
        sender,
        id: nextId(),
        digest,
        at: Date.now(),
        shared: [head, body],
        recipients: [{ device, own: [] }],
      });
    }
  return mails;
}

/** As random as an id is to a search tree, and made in less time than the store needs for it. */
function nextId(): MessageId {
  const id = new Uint8Array(ids.subarray(0, 16));
  ids.writeUInt32LE(Math.imul(++made, 0x9e3779b1) >>> 0);
  return parseMessageId(id);
}

/** Producers that each wait for their own append; nothing is acknowledged. */
async function appendsPerSecond(): Promise<void> {
  const producers = 1_000;
  const each = 20;
  const batches = Array.from({ length: producers }, (_, i) => batch(i, each, 1));
  const started = performance.now();
  const cpu = process.cpuUsage();
  await Promise.all(
    batches.map(async (mails) => {
      for (const mail of mails) await lmdb.mailboxes.append([mail], limits);
    }),
  );
  const seconds = (performance.now() - started) / 1e3;
  const { user, system } = process.cpuUsage(cpu);
  const total = producers * each;
  console.log(`${producers} producers, each awaiting its own append`);
  console.log(
    `  lmdb           ${((user + system) / total).toFixed(2).padStart(8)} us  ${Math.round(total / seconds)} durable appends/s`,
  );
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
