/**
 * Names of accounts, devices and messages. A device id is LIME's: the SIP GRUU (lime-protocol section 1), compared bytewise.
 * Parse text once, at the edge; inside, the branded types are trusted. What is on the wire is taken as it is; what a person types, and
 * what comes in anew, has the one form of PRECIS (docs/adr/0024-names-by-precis.md).
 */
import { LIMITS } from './limits.ts';
import { usernameCaseMapped, usernameCasePreserved } from './precis.ts';
import { WireError } from './wire-error.ts';

declare const brand: unique symbol;
type Branded<T, Name> = T & { readonly [brand]: Name };

/** What a person chooses: 3 to 32 of a-z, 0-9, `.`, `_`, `-`, beginning with a letter or digit. */
export type AccountName = Branded<string, 'AccountName'>;
/** `sip:alice@example.org`: the account as contacts write it. */
export type AccountAddress = Branded<string, 'AccountAddress'>;
/** `sip:alice@example.org;gr=urn:uuid:…`: one device of an account. */
export type DeviceId = Branded<string, 'DeviceId'>;
/** 16 bytes chosen by the sending device, unique per sending device for at least 24 hours (delivery, "idempotent send"). */
export type MessageId = Branded<Uint8Array, 'MessageId'>;

const NAME = /^[a-z0-9][a-z0-9._-]{2,31}$/;
// `sip:`, a user, a host. Control characters, white space and the separators of a GRUU are refused: the concatenations that LIME
// authenticates (recipient user || source || recipient device) stay unambiguous only if ids cannot imitate each other's edges. With no
// `:` and `@` in the user part and no `@` in the host, each edge is the last `sip:` before an `@`. Half a surrogate pair has no UTF-8.
const ADDRESS = /^sip:[^\s@:;<>"\p{Cc}\p{Cs}]{1,64}@[A-Za-z0-9.:[\]-]{1,190}$/u;
const DEVICE = /^sip:[^\s@:;<>"\p{Cc}\p{Cs}]{1,64}@[A-Za-z0-9.:[\]-]{1,190};gr=[^\s;<>"\p{Cc}\p{Cs}]{1,128}$/u;

// The same for readers of JSON Schema, in what every dialect of regular expressions has: no classes by property, white space spelled
// out. Half surrogate pairs are left out, since a schema judges Unicode text.
const SPACES = '\\s\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff';
const CONTROLS = '\\u0000-\\u001f\\u007f-\\u009f';
const ADDRESS_PATTERN = `sip:[^@:;<>"${SPACES}${CONTROLS}]{1,64}@[A-Za-z0-9.:\\[\\]-]{1,190}`;
/** What the parsers below take, as regular expressions for schemas; the limit in bytes of UTF-8 comes on top. */
export const ID_PATTERNS = {
  accountName: NAME.source,
  accountAddress: `^${ADDRESS_PATTERN}$`,
  deviceId: `^${ADDRESS_PATTERN};gr=[^;<>"${SPACES}${CONTROLS}]{1,128}$`,
} as const;

/** `gr` of a new device: printable ASCII, as a SIP parameter is (RFC 3261 section 25.1). */
const ASCII_DEVICE = /;gr=[!-~]+$/;

const utf8 = new TextEncoder();

export function parseAccountName(text: string): AccountName {
  if (!NAME.test(text))
    throw new WireError(
      'bad-name',
      'a user name is 3 to 32 of a-z, 0-9, ".", "_", "-", beginning with a letter or digit',
    );
  return text as AccountName;
}

export function parseAccountAddress(text: string): AccountAddress {
  if (!ADDRESS.test(text) || !fits(text))
    throw new WireError('bad-address', 'an address looks like sip:alice@example.org');
  return text as AccountAddress;
}

export function parseDeviceId(text: string): DeviceId {
  if (!DEVICE.test(text) || !fits(text))
    throw new WireError('bad-device-id', 'a device id looks like sip:alice@example.org;gr=urn:uuid:…');
  return text as DeviceId;
}

export function parseMessageId(bytes: Uint8Array): MessageId {
  if (bytes.length !== LIMITS.messageIdBytes.value) throw new WireError('bad-message-id', 'a message id has 16 bytes');
  return bytes as MessageId;
}

export function addressOf(name: AccountName, domain: string): AccountAddress {
  return parseAccountAddress(`sip:${name}@${domain}`);
}

/** The account name that a person means by `text`: `Alice` is `alice`. Throws `WireError` `bad-name`. */
export function typedName(text: string): AccountName {
  return parseAccountName(formOf(text, usernameCaseMapped));
}

/**
 * The account that a person means by `text`: a name at `domain`, or a whole address, whose user keeps its case, as LIME compares ids
 * bytewise. Throws `WireError` `bad-name` or `bad-address`.
 */
export function typedAddress(text: string, domain: string): AccountAddress {
  if (!text.startsWith('sip:')) return addressOf(typedName(text), domain);
  const address = parseAccountAddress(text);
  return parseAccountAddress(`sip:${usernameCasePreserved(nameOf(address))}@${domainOf(address)}`);
}

/** Whether a new device may come in under this id: its user is in its PRECIS form, the rest ASCII. */
export function isEnforcedDeviceId(device: DeviceId): boolean {
  const user = nameOf(accountOf(device));
  return ASCII_DEVICE.test(device) && formOf(user, usernameCasePreserved) === user;
}

/** The account of a device: everything before `;gr=`. */
export function accountOf(device: DeviceId): AccountAddress {
  return device.slice(0, device.indexOf(';gr=')) as AccountAddress;
}

/** `example.org` of an account or of a device, as it is written. */
export function domainOf(id: AccountAddress | DeviceId): string {
  const end = id.indexOf(';');
  return id.slice(id.indexOf('@') + 1, end < 0 ? undefined : end);
}

/** The same in small letters, as domains are compared (RFC 4343). */
export function canonicalDomainOf(id: AccountAddress | DeviceId): string {
  return domainOf(id).toLowerCase();
}

/** The user part of an address: `alice` of `sip:alice@example.org`. */
export function nameOf(address: AccountAddress): AccountName {
  return address.slice(4, address.lastIndexOf('@')) as AccountName;
}

function fits(id: string): boolean {
  const most = LIMITS.deviceIdBytes.value;
  // A UTF-16 unit is at most three bytes of UTF-8: what is short enough by that need not be encoded.
  return id.length * 3 <= most || utf8.encode(id).length <= most;
}

/** Empty where `profile` refuses `text`. */
function formOf(text: string, profile: (text: string) => string): string {
  try {
    return profile(text);
  } catch (error) {
    if (error instanceof WireError) return '';
    throw error;
  }
}
