/**
 * Invite links of groups (docs/spec/groups.md section 7): what a link says, and what its key signs for who joins by it. The secret is in
 * the link alone, the public key in the group's log.
 */
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { GROUP_HASH_BYTES } from './group-event.ts';
import type { AccountAddress } from './ids.ts';
import { address, exactly, type MessageOf, MessageType } from './protobuf/fields.ts';
import { WireError } from './wire-error.ts';

const PREFIX = 'sealwire-group-1:';
const REFUSED = 'bad-group-link';
const PROOF_PREFIX = 'sealwire/group-link/v1\0';
/** Of base64url: more than any link has. */
const LONGEST = 1_024;

export const GROUP_LINK = new MessageType({
  group: exactly(1, GROUP_HASH_BYTES),
  /** Hash of the event that made it. */
  link: exactly(2, GROUP_HASH_BYTES),
  /** Of the Ed25519 key that vouches for who joins. */
  seed: exactly(3, 32),
  /** The administrator to ask for the log, with account key. */
  from: address(4),
  fromKey: exactly(5, 32),
});

/** Who knows it can join, until it has ended, is used up or revoked. */
export type GroupLink = MessageOf<typeof GROUP_LINK>;

export function formatGroupLink(link: GroupLink): string {
  return PREFIX + encodeBase64url(GROUP_LINK.encode(link));
}

/** Throws `WireError` `bad-group-link`. */
export function parseGroupLink(text: string): GroupLink {
  const trimmed = text.trim();
  if (!trimmed.startsWith(PREFIX)) throw new WireError(REFUSED, `a link to a group begins with ${PREFIX}`);
  if (trimmed.length > LONGEST) throw new WireError(REFUSED, 'no link to a group is so long');
  try {
    return GROUP_LINK.decode(decodeBase64url(trimmed.slice(PREFIX.length)), REFUSED);
  } catch (error) {
    if (error instanceof WireError) throw new WireError(REFUSED, 'the link to the group is not whole: copy it again');
    throw error;
  }
}

/** What the link key signs: this account, with this account key, joins this group by this link. */
export function groupLinkSigningInput(
  group: Uint8Array,
  link: Uint8Array,
  actor: AccountAddress,
  key: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const context = new TextEncoder().encode(PROOF_PREFIX);
  const name = new TextEncoder().encode(actor);
  const parts = [context, group, link, key, name];
  const input = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    input.set(part, at);
    at += part.length;
  }
  return input;
}
