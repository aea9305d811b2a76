/** Making events: what a device signs for its account (docs/spec/groups.md sections 2 and 7). Each goes through the rules before it is told to anybody. */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import {
  encodeGroupEvent,
  GROUP_PARENTS,
  type GroupAction,
  type GroupEvent,
  groupEventSigningInput,
  type SignedGroupEvent,
} from '@sealwire/wire/group-event';
import { type GroupLink, groupLinkSigningInput } from '@sealwire/wire/group-link';
import type { AccountAddress } from '@sealwire/wire/ids';
import { MembershipError } from './errors.ts';
import { Log } from './log.ts';
import { accountName, byDepth } from './records.ts';
import { isSame } from './view.ts';

/** Who acts, and when. */
export interface Signer {
  readonly account: AccountAddress;
  /** Ed25519 seed of the account key, 32 bytes: only a device that administers the account has it. */
  readonly seed: Uint8Array;
  /** ms since 1970, by this device's clock: tells people when, and decides nothing but whether a link had ended. */
  readonly at: number;
}

/** An event that was made here, and the log with it. */
export interface Made {
  readonly log: Log;
  readonly hash: Uint8Array;
  readonly signed: SignedGroupEvent;
}

const NONE = new Uint8Array(0);

/** A new group, of which the signer is member and administrator. `subject`: at most 256 bytes, may be empty. */
export function createGroup(crypto: CryptoProvider, signer: Signer, subject: string, random: RandomBytes): Made {
  const key = crypto.ed25519.publicKey(signer.seed);
  const signed = sign(crypto, signer, {
    group: NONE,
    actor: signer.account,
    number: 1,
    previous: NONE,
    parents: [],
    at: signer.at,
    action: { kind: 'create', nonce: random(32), key, subject },
  });
  const log = Log.of(crypto, signed);
  return { log, hash: log.group, signed };
}

/**
 * The signer's next event, after all that the log has. Throws `MembershipError` with the code by which everybody would refuse it, or
 * `WireError` `bad-group-event` for an action beyond its bounds.
 */
export function makeEvent(log: Log, signer: Signer, action: Exclude<GroupAction, { kind: 'create' }>): Made {
  const { crypto, records } = log;
  const key = crypto.ed25519.publicKey(signer.seed);
  const previous = records.lastOf(accountName(signer.account), key);
  const parents = [...records.heads]
    .filter((record) => record !== previous)
    .toSorted((a, b) => byDepth(b, a))
    .slice(0, GROUP_PARENTS)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const signed = sign(crypto, signer, {
    group: log.group,
    actor: signer.account,
    number: (previous?.event.number ?? 0) + 1,
    previous: previous?.hash ?? NONE,
    parents: parents.map(({ hash }) => hash),
    at: signer.at,
    action,
  });
  const { log: grown, accepted, refused } = log.add([signed]);
  const made = accepted[0];
  if (!made) throw new MembershipError(refused[0]?.code ?? 'too-many-events');
  return { log: grown, hash: made.hash, signed };
}

/** A link by which accounts join, made by the signer. `expiresAt` in ms since 1970. Throws as `makeEvent` does. */
export function makeLink(
  log: Log,
  signer: Signer,
  { expiresAt = 0, uses = 0 }: { readonly expiresAt?: number; readonly uses?: number },
  random: RandomBytes,
): Made & { readonly link: GroupLink } {
  const { crypto } = log;
  const seed = random(32);
  const made = makeEvent(log, signer, { kind: 'link-made', key: crypto.ed25519.publicKey(seed), expiresAt, uses });
  const fromKey = crypto.ed25519.publicKey(signer.seed);
  return { ...made, link: { group: log.group, link: made.hash, seed, from: signer.account, fromKey } };
}

/** The signer joins by a link, with the log that somebody in the group sent. Throws as `makeEvent` does. */
export function joinByLink(log: Log, signer: Signer, link: GroupLink): Made {
  if (!isSame(log.group, link.group)) throw new MembershipError('wrong-group');
  const { crypto } = log;
  const key = crypto.ed25519.publicKey(signer.seed);
  const proof = crypto.ed25519.sign(link.seed, groupLinkSigningInput(link.group, link.link, signer.account, key));
  return makeEvent(log, signer, { kind: 'join-link', link: link.link, key, proof });
}

function sign(crypto: CryptoProvider, { seed }: Signer, event: GroupEvent): SignedGroupEvent {
  const encoded = encodeGroupEvent(event);
  return { event: encoded, signature: crypto.ed25519.sign(seed, groupEventSigningInput(encoded)) };
}
