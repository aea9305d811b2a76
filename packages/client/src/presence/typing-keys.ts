/**
 * The keys under which devices tell that their users type (docs/spec/presence.md section 4). Ours are made of one secret, another one for each
 * conversation; those of others came inside their messages. Table `typing`, key `typing/DEVICE CONVERSATION`, after the ends of a chain.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { type Content, TYPING_KEY_BYTES } from '@sealwire/wire/envelope';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { ChainName } from '../messages/chain/incoming-chains.ts';
import type { Records, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';
import { typingSecret } from './presence-records.ts';

const CONTEXT = 'sealwire/typing-key/v1';
const TABLE = 'typing/';

interface StoredKey {
  /** base64url; absent: the device tells nothing any more. */
  readonly key?: string;
  /** When the message was written that said so, ms by its device's clock: an older one, which comes late, changes nothing. */
  readonly at: number;
}

/** Ours in a conversation; undefined while typing is off. */
export function ownTypingKey(
  crypto: CryptoProvider,
  records: Records,
  conversation: AccountAddress,
): Uint8Array | undefined {
  const secret = typingSecret(records);
  const context = new TextEncoder().encode(`${CONTEXT}\0${conversation}`);
  return secret && crypto.hmacSha512(secret, context).slice(0, TYPING_KEY_BYTES);
}

/** A message of a chain has come, with its device's key or without one. */
export function takeTypingKey(transaction: Transaction, name: ChainName, { typingKey, sentAt }: Content): void {
  const before = read(transaction, name);
  if (before ? sentAt < before.at : !typingKey) return;
  const key = typingKey && encodeBase64url(typingKey);
  transaction.set(keyOf(name), encodeRecord({ at: sentAt, ...(key !== undefined && { key }) } satisfies StoredKey));
}

/** Undefined: the device tells nothing. */
export function typingKeyOf(records: Records, name: ChainName): Uint8Array | undefined {
  const { key } = read(records, name) ?? {};
  return key === undefined ? undefined : decodeBase64url(key);
}

/** Devices of `account` that tell in `conversation`, the account that theirs is encrypted for, that their users type. */
export function typingDevices(records: Records, account: AccountAddress, conversation: AccountAddress): DeviceId[] {
  const names = records.keys(`${TABLE}${account};`).map((key) => key.slice(TABLE.length).split(' '));
  return names
    .filter(([, of]) => of === conversation)
    .map(([device]) => device as DeviceId)
    .filter((sender) => typingKeyOf(records, { sender, recipientUser: conversation }) !== undefined);
}

/** The device has left its account's manifest for good. */
export function forgetTypingKeys(transaction: Transaction, device: DeviceId): void {
  for (const key of transaction.keys(`${TABLE}${device} `)) transaction.delete(key);
}

const keyOf = ({ sender, recipientUser }: ChainName) => `${TABLE}${sender} ${recipientUser}`;

function read(records: Records, name: ChainName): StoredKey | undefined {
  const stored = records.get(keyOf(name));
  return stored && decodeRecord<StoredKey>(stored).header;
}
