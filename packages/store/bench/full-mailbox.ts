/**
 * Messages a second into a mailbox that is full and loses its oldest for each new one (`whenFull: 'trim'`):
 * `npm run bench:full -w packages/store -- --store=mongodb://HOST/DATABASE`. Batches of several sizes; beside a roomy mailbox in
 * the same run, the two taking turns. The database should be a new one.
 */
import { performance } from 'node:perf_hooks';
import { systemRandom } from '@sealwire/crypto/random';
import { type DeviceId, parseAccountAddress, parseDeviceId, parseMessageId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { openStore } from '../src/open.ts';
import type { Mail, MailboxLimits } from '../src/port.ts';

const SIZES = [1, 10, 100];
const SLICES = 5;
const BATCHES = 4;

const url = process.argv.find((arg) => arg.startsWith('--store='))?.slice('--store='.length) ?? 'memory:';
const store = await openStore(url, { production: false });
const limits: MailboxLimits = {
  messages: LIMITS.mailboxMessages.value,
  bytes: LIMITS.mailboxBytes.value,
  lifeMs: LIMITS.messageLifeMs.value,
  whenFull: 'trim',
  memory: { ms: LIMITS.repeatMemoryMs.value, messages: LIMITS.repeatMemoryMessages.value },
};
const run = Buffer.from(systemRandom(4)).toString('hex');
const body = systemRandom(1024);
const digest = systemRandom(32);
const full = await deviceOf('full');
const roomy = await deviceOf('roomy');
const sender = await deviceOf('sender');

for (let i = 0; i < limits.messages; i += 500) await store.mailboxes.append(batch(full, 500), limits);
for (const size of SIZES) {
  const rates = { full: [] as number[], roomy: [] as number[] };
  for (let slice = 0; slice <= SLICES; slice++)
    for (const [name, device] of Object.entries({ full, roomy })) {
      const started = performance.now();
      for (let i = 0; i < BATCHES; i++)
        for (const { status } of await store.mailboxes.append(batch(device, size), limits))
          if (status !== 'accepted') throw new Error(`${name}: ${status}`);
      // The first slice warms up.
      if (slice > 0) rates[name as 'full' | 'roomy'].push((BATCHES * size * 1e3) / (performance.now() - started));
    }
  const [ours, peer] = [median(rates.full), median(rates.roomy)];
  console.log(
    `batches of ${size}: full ${Math.round(ours)} messages/s, roomy ${Math.round(peer)}, ratio ${(ours / peer).toFixed(2)}`,
  );
}
await store.close();

async function deviceOf(name: string): Promise<DeviceId> {
  const address = parseAccountAddress(`sip:${name}${run}@example.org`);
  const id = parseDeviceId(`${address};gr=urn:uuid:01234567-89ab-4def-8123-000000000001`);
  const key = systemRandom(32);
  const device = { id, identities: [{ suite: 'c25519' as const, identityKey: key }], loginKey: key, addedAt: 1 };
  await store.accounts.create(
    { address, accountKey: systemRandom(32), createdAt: 1 },
    { version: 1, bytes: key, signature: key },
    [device],
  );
  return id;
}

function batch(device: DeviceId, size: number): Mail[] {
  return Array.from({ length: size }, () => ({
    sender,
    id: parseMessageId(systemRandom(16)),
    digest,
    at: Date.now(),
    shared: [body],
    recipients: [{ device, own: [] }],
  }));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
