/** People, devices and messages for the contract: small, told apart by numbers, and other ones for each test. */
import { afterEach, beforeEach, expect } from '@jest/globals';
import { systemRandom } from '@sealwire/crypto/random';
import {
  type AccountAddress,
  type DeviceId,
  type MessageId,
  parseAccountAddress,
  parseDeviceId,
  parseMessageId,
} from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { Steps } from '../faults.ts';
import type {
  Account,
  Acknowledgement,
  AppendResult,
  Device,
  Mail,
  MailboxLimits,
  MailboxPage,
  OneTimePrekey,
  PrekeyBundle,
  Store,
  StoredManifest,
  StoreErrorKind,
} from '../port.ts';
import { numberedByOne } from './numbers.ts';

/** A store that is open for one test. Its adapter may have one database for many: names of a test are its own. */
export interface OpenedStore {
  readonly store: Store;
  /** Also clears away what the store left behind. */
  readonly close: () => Promise<void>;
  /** The durable steps of its calls; absent: every call is one step. */
  readonly steps?: Steps;
}

export type OpenStore = () => Promise<OpenedStore>;

/** When the tests happen: any time will do. */
export const NOW = 1_800_000_000_000;
export const LIFE_MS = 1_000_000;
/** More than any test has. */
export const MANY = 100_000;

/** Of this run of the tests, and of each test: what a database still holds of others does not matter. */
const RUN = Buffer.from(systemRandom(4)).toString('hex');
let test = 0;
let space = RUN;

/** The two accounts of the test that runs: other ones for each test. */
export let ALICE: AccountAddress;
export let BOB: AccountAddress;

/** Names for a new test. */
export function nameAnew(): void {
  space = `${RUN}${(test++).toString(36)}`;
  ALICE = parseAccountAddress(`sip:a${space}@x.org`);
  BOB = parseAccountAddress(`sip:b${space}@x.org`);
}
nameAnew();

/** A store for each test, closed after it; `name` is called when the test's accounts have their names. */
export function eachWithStore(open: OpenStore, name: () => void = () => {}): () => Store {
  let opened: OpenedStore;
  let store: Store;
  beforeEach(async () => {
    nameAnew();
    name();
    opened = await open();
    store = { ...opened.store, mailboxes: numberedByOne(opened.store.mailboxes) };
  });
  afterEach(async () => {
    await opened.close();
  });
  return () => store;
}

export function bytes(value: number, length = 32): Uint8Array {
  return new Uint8Array(length).fill(value);
}

/** Device `n` of an account. */
export function deviceId(address: AccountAddress, n: number): DeviceId {
  return parseDeviceId(`${address};gr=urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`);
}

/** A public key of `owner`, told apart by a letter for its purpose and a number. */
export function publicKey(purpose: string, owner: string, n: number, length = 32): Uint8Array {
  const key = bytes(n, length);
  key.set(Buffer.from(`${purpose} ${owner.slice('sip:'.length)}`).subarray(0, length - 1));
  return key;
}

export function account(address: AccountAddress, key = 1): Account {
  return { address, accountKey: publicKey('account', address, key), createdAt: NOW };
}

export function manifest(version: number, content = version): StoredManifest {
  return { version, bytes: bytes(content, 100), signature: bytes(content, 64) };
}

export function device(address: AccountAddress, n: number): Device {
  const identities = [
    { suite: 'c25519' as const, identityKey: publicKey('i', address, n, 32) },
    { suite: 'c448' as const, identityKey: publicKey('i', address, n, 57) },
  ];
  return { id: deviceId(address, n), identities, loginKey: publicKey('login', address, n), addedAt: NOW + n };
}

/** Creates an account with devices 1 to `count`; their ids. */
export async function people(store: Store, address: AccountAddress, count: number): Promise<DeviceId[]> {
  const devices = Array.from({ length: count }, (_, i) => device(address, i + 1));
  expect(await store.accounts.create(account(address), manifest(1), devices)).toBe('created');
  return devices.map(({ id }) => id);
}

/** 32 bytes that belong to this test. */
export function secret(n: number): Uint8Array {
  return publicKey('secret', BOB, n);
}

export function bundle(n: number): Omit<PrekeyBundle, 'oneTimePrekey'> {
  const signedPrekey = { id: n, publicKey: publicKey('signed', ALICE, n), signature: bytes(n, 64) };
  return { identityKey: publicKey('identity', ALICE, n), signedPrekey };
}

/** Keys with these ids, told apart by their bytes. */
export function oneTimeKeys(...ids: readonly number[]): OneTimePrekey[] {
  return ids.map((id) => ({ id, publicKey: Uint8Array.from({ length: 32 }, (_, i) => (id >> (8 * (i % 4))) & 0xff) }));
}

export const ROOMY: MailboxLimits = {
  messages: 10_000,
  bytes: 1 << 26,
  lifeMs: LIFE_MS,
  whenFull: 'refuse',
  memory: { ms: LIMITS.repeatMemoryMs.value, messages: MANY },
};

export function messageId(n: number): MessageId {
  const id = new Uint8Array(16);
  new DataView(id.buffer).setUint32(4, n);
  return parseMessageId(id);
}

/** Message `n` of `sender` to each of `recipients`: `size` bytes, all of them `n`, one half shared and one half each one's own. */
export function mail(
  n: number,
  sender: DeviceId,
  recipients: readonly DeviceId[],
  { size = 10, at = NOW, digest = n }: { size?: number; at?: number; digest?: number } = {},
): Mail {
  return {
    sender,
    id: messageId(n),
    digest: bytes(digest),
    at,
    shared: [bytes(n, size >> 1)],
    recipients: recipients.map((to) => ({ device: to, own: [bytes(n, size - (size >> 1))] })),
  };
}

/** Appends messages `from` to `to` (inclusive), one call each. */
export async function appendAll(
  store: Store,
  from: number,
  to: number,
  sender: DeviceId,
  recipient: DeviceId,
): Promise<void> {
  for (let n = from; n <= to; n++)
    expect(await store.mailboxes.append([mail(n, sender, [recipient])], ROOMY)).toMatchObject([{ status: 'accepted' }]);
}

/** The devices of one account. */
export async function listed(store: Store, address: AccountAddress): Promise<Device[]> {
  const [devices] = await store.devices.list([address]);
  return devices as Device[];
}

export const REPEATED: AppendResult = { status: 'repeated', refused: [] };

export function accepted(...seqs: readonly number[]): AppendResult {
  return { status: 'accepted', seqs, refused: [] };
}

/** The whole mailbox. */
export function readAll(store: Store, recipient: DeviceId, now = NOW): Promise<MailboxPage> {
  return store.mailboxes.read(recipient, { after: 0, messages: MANY, bytes: 1 << 30, horizon: now - LIFE_MS });
}

/** The same page with bodies as text, which are compared in no time. */
export function legible({ mails, ...page }: MailboxPage): unknown {
  return {
    ...page,
    mails: mails.map(({ seq, at, bytes }) => ({ seq, at, text: Buffer.from(bytes).toString('latin1') })),
  };
}

export async function seqsIn(store: Store, recipient: DeviceId): Promise<number[]> {
  return (await readAll(store, recipient)).mails.map(({ seq }) => seq);
}

export function upTo(recipient: DeviceId, seq: number): Acknowledgement {
  return { device: recipient, session: 0, upTo: seq };
}

/** Expects a `StoreError` of this kind with a message of one line. */
export async function expectError(promise: Promise<unknown>, kind: StoreErrorKind): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'StoreError', kind, retryable: kind === 'unavailable' });
  expect((error as Error).message).not.toContain('\n');
}
