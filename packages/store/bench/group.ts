/**
 * Bytes that the embedded store keeps of one message to many devices: in the commit log, and in the mailboxes of devices that stay away.
 *
 *   npm run bench:group -w packages/store
 *
 * 1 KiB of body and 130 bytes of head, shared; 89 bytes for each device; ten devices an account. The peer is a store that keeps a whole
 * message for each device.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '@sealwire/crypto/random';
import { type DeviceId, parseAccountAddress, parseDeviceId, parseMessageId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { partOfBatch } from '../src/lmdb/log/log-record.ts';
import { openLmdbStore } from '../src/lmdb.ts';
import type { Device, Mail, MailboxLimits, Store } from '../src/port.ts';

const DEVICES_PER_ACCOUNT = 10;
const SHARED = [systemRandom(130), systemRandom(1_024)];
const OWN = [systemRandom(2), systemRandom(87)];
const WHOLE = [...SHARED, ...OWN].reduce((sum, { length }) => sum + length, 0);
/** Of log, so that checkpoints take most of it over. */
const LOG_BYTES = 64 * 1_024 * 1_024;
/** Of log an append: well below what the ring takes as one record. */
const BATCH_BYTES = 1_024 * 1_024;

const limits: MailboxLimits = {
  messages: 1_000_000,
  bytes: Number.MAX_SAFE_INTEGER,
  lifeMs: LIMITS.messageLifeMs.value,
  whenFull: 'refuse',
  memory: { ms: LIMITS.repeatMemoryMs.value, messages: LIMITS.repeatMemoryMessages.value },
};

async function populate(store: Store, count: number): Promise<DeviceId[]> {
  const made: DeviceId[] = [];
  for (let account = 0; account < Math.ceil(count / DEVICES_PER_ACCOUNT); account++) {
    const address = parseAccountAddress(`sip:user${account}@chat.example.org`);
    const devices = Array.from({ length: DEVICES_PER_ACCOUNT }, (_, i): Device => {
      const id = parseDeviceId(`${address};gr=urn:uuid:01234567-89ab-4def-8123-${String(i).padStart(12, '0')}`);
      const key = systemRandom(32);
      return { id, identities: [{ suite: 'c25519', identityKey: key }], loginKey: key, addedAt: 1 };
    });
    const manifest = { version: 1, bytes: systemRandom(64), signature: systemRandom(64) };
    await store.accounts.create({ address, accountKey: systemRandom(32), createdAt: 1 }, manifest, devices);
    made.push(...devices.map(({ id }) => id));
  }
  return made.slice(0, count);
}

function mailTo(devices: readonly DeviceId[]): Mail {
  const recipients = devices.map((device) => ({ device, own: OWN }));
  const id = parseMessageId(systemRandom(16));
  return { sender: devices[0]!, id, digest: systemRandom(32), at: Date.now(), shared: SHARED, recipients };
}

console.log('bytes a delivery; to the peer, which keeps a whole message for each device\n');
for (const count of [1, 10, 100, 300]) {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-store-group-'));
  const store = await openLmdbStore({ path: folder });
  const devices = await populate(store, count);
  const before = statSync(join(folder, 'data.mdb')).size;
  const inLog = partOfBatch([mailTo(devices)], (length) => Buffer.alloc(length)).part.length;
  const batch = Math.max(1, Math.floor(BATCH_BYTES / inLog));
  const appends = Math.ceil(LOG_BYTES / inLog / batch);
  for (let i = 0; i < appends; i++)
    await store.mailboxes.append(
      Array.from({ length: batch }, () => mailTo(devices)),
      limits,
    );
  // Of the ring up to three quarters, 12 MiB, are in no mailbox yet; a quarter goes at a time, so 10 MiB on average.
  await store.close();
  const settled = appends * batch - (10 * 1_024 * 1_024) / inLog;
  const atRest = (statSync(join(folder, 'data.mdb')).size - before) / settled / count;
  const share = (bytes: number) => `${bytes.toFixed(0)} (${(bytes / WHOLE).toFixed(2)} ×)`;
  console.log(
    `${String(count).padStart(4)} devices: log ${share(inLog / count)}, mailboxes that stay ${share(atRest)}`,
  );
  rmSync(folder, { recursive: true });
}
