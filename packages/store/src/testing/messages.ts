/** What the test processes send to each other's folder; parent and children agree on it. */
import { type DeviceId, parseAccountAddress, parseDeviceId, parseMessageId } from '@sealwire/wire/ids';
import type { Mail, MailboxLimits, Store } from '../port.ts';

export const NOW = 1_800_000_000_000;
export const LIMITS_FOR_ALL: MailboxLimits = {
  messages: 1e6,
  bytes: 1e9,
  lifeMs: 1e6,
  whenFull: 'refuse',
  memory: { ms: 1e9, messages: 1e6 },
};

const ADDRESS = parseAccountAddress('sip:alice@example.org');
/** Three devices, each with a mailbox, the first with prekeys. */
export const DEVICES: readonly DeviceId[] = [1, 2, 3].map((n) => parseDeviceId(`${ADDRESS};gr=urn:uuid:${n}`));
export const ONE_TIME_KEYS = 100;

export async function populate(store: Store): Promise<void> {
  const key = new Uint8Array(32).fill(1);
  const devices = DEVICES.map((id, i) => ({
    id,
    identities: [{ suite: 'c25519' as const, identityKey: key.map(() => i + 2) }],
    loginKey: key.map(() => i + 10),
    addedAt: i,
  }));
  const account = { address: ADDRESS, accountKey: key, createdAt: NOW };
  await store.accounts.create(account, { version: 1, bytes: key, signature: key }, devices);
  const publicKey = key.map(() => 20);
  const signedPrekey = { id: 1, publicKey, signature: key };
  const oneTime = Array.from({ length: ONE_TIME_KEYS }, (_, id) => ({ id, publicKey }));
  await store.prekeys.register(DEVICES[0] as DeviceId, 'c25519', { identityKey: publicKey, signedPrekey }, oneTime);
}

/** Message `n`, to all three: its body is its number, and something to make it bulky. */
export function numbered(n: number): Mail {
  const number = new Uint8Array(8);
  new DataView(number.buffer).setFloat64(0, n);
  const id = new Uint8Array(16);
  id.set(number);
  return {
    sender: DEVICES[0] as DeviceId,
    id: parseMessageId(id),
    digest: number,
    at: NOW,
    shared: [number, new Uint8Array(700)],
    recipients: DEVICES.map((device) => ({ device, own: [] })),
  };
}

/** The numbers of the messages in a mailbox, by sequence number from 1; throws when there is a hole. */
export async function numbersIn(store: Store, device: DeviceId): Promise<number[]> {
  const { mails } = await store.mailboxes.read(device, { after: 0, messages: 1e6, bytes: 1e9, horizon: 0 });
  return mails.map(({ seq, bytes }, i) => {
    if (seq !== i + 1) throw new Error(`sequence number ${seq} where ${i + 1} was expected`);
    return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0);
  });
}
