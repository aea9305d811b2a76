/** The people of a store that grows: numbered accounts of one device, found again by their number, and messages to any of them. */
import { createHash } from 'node:crypto';
import { systemRandom } from '@sealwire/crypto/random';
import { type DeviceId, parseAccountAddress, parseDeviceId, parseMessageId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { Mail, MailboxLimits, OneTimePrekey, Store } from '../../src/port.ts';

/** Of a message: head and body as one, of the size that people write. */
const BODY = systemRandom(300);
const DIGEST = systemRandom(32);
export const ONE_TIME_KEYS = 4;
/** Calls that wait together, as those of many sockets do. */
const AT_ONCE = 500;

export const limits: MailboxLimits = {
  messages: LIMITS.mailboxMessages.value,
  bytes: LIMITS.mailboxBytes.value,
  lifeMs: LIMITS.messageLifeMs.value,
  whenFull: 'refuse',
  memory: { ms: LIMITS.repeatMemoryMs.value, messages: LIMITS.repeatMemoryMessages.value },
};

/** Names are spread over the whole alphabet, as people's are: records of neighbours in time are not neighbours in the store. */
function nameOf(number: number): string {
  return createHash('sha256').update(`person ${number}`).digest('hex').slice(0, 12);
}

export function deviceOf(number: number): DeviceId {
  return parseDeviceId(`sip:${nameOf(number)}@chat.example.org;gr=urn:uuid:01234567-89ab-4def-8123-456789abcdef`);
}

export function oneTimeKeys(first: number): OneTimePrekey[] {
  return Array.from({ length: ONE_TIME_KEYS }, (_, i) => ({ id: first + i, publicKey: systemRandom(32) }));
}

/** Accounts `from` to below `to`, each with keys at the directory. */
export async function addAccounts(store: Store, from: number, to: number): Promise<void> {
  for (let start = from; start < to; start += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, to - start) }, (_, i) => start + i);
    await Promise.all(numbers.map((number) => addAccount(store, number)));
  }
}

async function addAccount(store: Store, number: number): Promise<void> {
  const id = deviceOf(number);
  const address = parseAccountAddress(`sip:${nameOf(number)}@chat.example.org`);
  const identityKey = systemRandom(32);
  const device = {
    id,
    identities: [{ suite: 'c25519' as const, identityKey }],
    loginKey: systemRandom(32),
    addedAt: 1,
  };
  const manifest = { version: 1, bytes: systemRandom(250), signature: systemRandom(64) };
  await store.accounts.create({ address, accountKey: systemRandom(32), createdAt: 1 }, manifest, [device]);
  const signedPrekey = { id: 1, publicKey: systemRandom(32), signature: systemRandom(64) };
  await store.prekeys.register(id, 'c25519', { identityKey, signedPrekey }, oneTimeKeys(1));
}

/** To people `numbers`, from whoever is before them. */
export function mailsTo(numbers: readonly number[]): Mail[] {
  return numbers.map((number) => ({
    sender: deviceOf(Math.max(0, number - 1)),
    id: parseMessageId(systemRandom(16)),
    digest: DIGEST,
    at: Date.now(),
    shared: [BODY],
    recipients: [{ device: deviceOf(number), own: [] }],
  }));
}

/** One batch; throws unless all is accepted. */
export async function append(store: Store, mails: readonly Mail[]): Promise<void> {
  for (const { status } of await store.mailboxes.append(mails, limits))
    if (status !== 'accepted') throw new Error(`a message was not taken: ${status}`);
}

/** `each` messages to each of people `from` to below `to`: all of them get one before any gets the next. */
export async function addMessages(store: Store, from: number, to: number, each: number): Promise<void> {
  for (let round = 0; round < each; round++)
    for (let start = from; start < to; start += AT_ONCE)
      await append(store, mailsTo(Array.from({ length: Math.min(AT_ONCE, to - start) }, (_, i) => start + i)));
}
