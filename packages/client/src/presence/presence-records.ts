/**
 * What a device keeps of presence (docs/spec/presence.md section 6): record `presence/self`, whether others see that this one is online and that
 * its user types; `presence/shown`, who they are. Both are off until the user switches them on.
 */
import type { RandomBytes } from '@sealwire/crypto/port';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Records, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

/** What others are shown, and with it what of theirs is shown here: nobody sees who is not seen. */
export interface PresenceSettings {
  /** To those of `showTo`: whether this device is online, or away. */
  readonly online: boolean;
  /** To those whom this device has written to, and who do the same: that its user is typing. */
  readonly typing: boolean;
}

interface StoredSettings extends PresenceSettings {
  /** base64url: typing keys are made of it. */
  readonly secret: string;
}

const SELF = 'presence/self';
const SHOWN = 'presence/shown';
const SECRET_BYTES = 32;
const OFF: PresenceSettings = { online: false, typing: false };

export function presenceSettings(records: Records): PresenceSettings {
  const { online, typing } = readSettings(records) ?? OFF;
  return { online, typing };
}

/** Who switches typing on anew has keys that nobody was given before. */
export function setPresenceSettings(transaction: Transaction, settings: PresenceSettings, random: RandomBytes): void {
  const before = readSettings(transaction);
  const keeps = before?.typing && settings.typing;
  const secret = keeps ? before.secret : encodeBase64url(random(SECRET_BYTES));
  transaction.set(SELF, encodeRecord({ ...settings, secret } satisfies StoredSettings));
}

/** Undefined while typing is off. */
export function typingSecret(records: Records): Uint8Array | undefined {
  const stored = readSettings(records);
  return stored?.typing ? decodeBase64url(stored.secret) : undefined;
}

export function shownTo(records: Records): AccountAddress[] {
  const stored = records.get(SHOWN);
  return stored ? decodeRecord<{ accounts: AccountAddress[] }>(stored).header.accounts : [];
}

export function setShownTo(transaction: Transaction, accounts: readonly AccountAddress[]): void {
  transaction.set(SHOWN, encodeRecord({ accounts }));
}

function readSettings(records: Records): StoredSettings | undefined {
  const stored = records.get(SELF);
  return stored && decodeRecord<StoredSettings>(stored).header;
}
