/**
 * How the devices of an account keep its contact list from the server (docs/spec/contacts.md section 2): under a key that they have from the
 * account's secret, or from the device that let them in; filled up, so that its length says little; bound to account and version.
 */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import { ALLOWED_SALT_BYTES, CONTACT_LIST, type ContactList } from '@sealwire/wire/contacts';
import type { AccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { SelfRecord } from '../accounts/self-record.ts';
import { ClientError } from '../errors.ts';

const text = (value: string) => new TextEncoder().encode(value);
const KEY_INFO = text('sealwire/contacts/key/v1');
const SALT_INFO = text('sealwire/contacts/salt/v1');
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const LENGTH_BYTES = 4;
const SMALLEST = 1_024;
const LARGEST = LIMITS.contactListBytes.value - NONCE_BYTES - TAG_BYTES;
const NOTHING = new Uint8Array(0);

/** Undefined: this device was let in by one that knew of no contacts. */
export function contactsKeyOf(
  { accountSeed, contactsKey }: Pick<SelfRecord, 'accountSeed' | 'contactsKey'>,
  crypto: CryptoProvider,
): Uint8Array | undefined {
  return accountSeed ? crypto.hkdfSha512(NOTHING, accountSeed, KEY_INFO, KEY_BYTES) : contactsKey;
}

/** Of the set of those who may write. */
export function allowedSaltOf(key: Uint8Array, crypto: CryptoProvider): Uint8Array {
  return crypto.hkdfSha512(NOTHING, key, SALT_INFO, ALLOWED_SALT_BYTES);
}

interface ListPlace {
  readonly address: AccountAddress;
  readonly version: number;
}

/** Throws `limit-reached` when it has no room. */
export function sealList(
  { crypto, random }: { readonly crypto: CryptoProvider; readonly random: RandomBytes },
  key: Uint8Array,
  place: ListPlace,
  list: ContactList,
): Uint8Array {
  const encoded = CONTACT_LIST.encode(list);
  if (LENGTH_BYTES + encoded.length > LARGEST)
    throw new ClientError('limit-reached', 'the contact list is full: remove contacts, or make notes shorter');
  const filled = new Uint8Array(filledSize(LENGTH_BYTES + encoded.length));
  new DataView(filled.buffer).setUint32(0, encoded.length);
  filled.set(encoded, LENGTH_BYTES);
  const nonce = random(NONCE_BYTES);
  return Uint8Array.from([...nonce, ...crypto.aes256gcm.seal(key, nonce, filled, contextOf(place))]);
}

/** Throws what decryption and decoding throw: no device of the account made this for that version. */
export function openList(crypto: CryptoProvider, key: Uint8Array, place: ListPlace, sealed: Uint8Array): ContactList {
  const nonce = sealed.slice(0, NONCE_BYTES);
  const filled = crypto.aes256gcm.open(key, nonce, sealed.slice(NONCE_BYTES), contextOf(place));
  const length = new DataView(filled.buffer, filled.byteOffset).getUint32(0);
  return CONTACT_LIST.decode(filled.slice(LENGTH_BYTES, LENGTH_BYTES + length), 'bad-record');
}

/** A power of two, or all the room there is. */
function filledSize(bytes: number): number {
  let size = SMALLEST;
  while (size < bytes) size *= 2;
  return Math.min(size, LARGEST);
}

function contextOf({ address, version }: ListPlace): Uint8Array {
  return text(`sealwire/contact-list/v1\0${address}\0${version}`);
}
