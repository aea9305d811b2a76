/**
 * Message keys of messages that have not arrived yet (lime-protocol section 7.6). Kept per chain, as one flat array, so that a session
 * record is written with a few copies however many there are. Immutable: every change gives a new value.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { Secret } from '../keys/secret.ts';
import { MESSAGE_KEY_BYTES, MessageKey } from './message-key.ts';

/** u16 message number | MK[48]. */
export const SKIPPED_ENTRY_BYTES = 2 + MESSAGE_KEY_BYTES;

/** The secret is its entries, one after the other. */
export class SkippedChain extends Secret {
  override get kind() {
    return 'SkippedChain' as const;
  }

  constructor(
    /** The peer's ratchet key of this chain. */
    readonly peerKey: Uint8Array,
    /** Messages that the session decrypted since this chain last gained a key. */
    readonly later: number,
    entries: Uint8Array,
  ) {
    super(entries);
  }

  get count(): number {
    return this.reveal().length / SKIPPED_ENTRY_BYTES;
  }

  /** Where the entry of message `number` begins, or -1. */
  find(number: number): number {
    const entries = this.reveal();
    for (let at = 0; at < entries.length; at += SKIPPED_ENTRY_BYTES) {
      if (entries[at]! * 0x100 + entries[at + 1]! === number) return at;
    }
    return -1;
  }

  /** A copy of the key at `at`: using it wipes the copy, and the chain stays whole until the caller commits. */
  keyAt(at: number): MessageKey {
    return new MessageKey(this.reveal().slice(at + 2, at + SKIPPED_ENTRY_BYTES));
  }
}

/** Chains in the order in which they were begun, the oldest first. None is empty. */
export type SkippedKeys = readonly SkippedChain[];

export const NO_SKIPPED_KEYS: SkippedKeys = [];

export interface SkippedKeyPlace {
  readonly chain: SkippedChain;
  readonly at: number;
}

/** The entries of `keys`, numbered from `first` on. The keys are wiped. */
export function skippedEntries(first: number, keys: readonly MessageKey[]): Uint8Array {
  const entries = new Uint8Array(keys.length * SKIPPED_ENTRY_BYTES);
  keys.forEach((key, i) => {
    const at = i * SKIPPED_ENTRY_BYTES;
    entries[at] = (first + i) >>> 8;
    entries[at + 1] = first + i;
    entries.set(key.reveal(), at + 2);
    key.wipe();
  });
  return entries;
}

/** The chain that holds skipped keys of `peerKey`. */
export function skippedChainOf(
  crypto: CryptoProvider,
  skipped: SkippedKeys,
  peerKey: Uint8Array,
): SkippedChain | undefined {
  return skipped.find((chain) => crypto.equal(chain.peerKey, peerKey));
}

export function findSkippedKey(
  crypto: CryptoProvider,
  skipped: SkippedKeys,
  peerKey: Uint8Array,
  number: number,
): SkippedKeyPlace | undefined {
  const chain = skippedChainOf(crypto, skipped, peerKey);
  const at = chain ? chain.find(number) : -1;
  return chain && at >= 0 ? { chain, at } : undefined;
}

/** Without the one key, and without its chain when that was the last. */
export function withoutSkippedKey(skipped: SkippedKeys, { chain, at }: SkippedKeyPlace): SkippedKeys {
  return skipped.flatMap((each) => (each === chain ? shortened(chain, at, at + SKIPPED_ENTRY_BYTES) : [each]));
}

/** One more message was decrypted: every chain is one message older, and those beyond `life` messages are given up. */
export function aged(skipped: SkippedKeys, life: number): SkippedKeys {
  if (skipped.length === 0) return skipped;
  return skipped
    .filter((chain) => chain.later < life)
    .map((chain) => new SkippedChain(chain.peerKey, chain.later + 1, chain.reveal()));
}

/** With more keys of one chain, which is young again by that. Beyond `bound` keys in all, the oldest are given up. */
export function withSkippedKeys(
  crypto: CryptoProvider,
  skipped: SkippedKeys,
  peerKey: Uint8Array,
  entries: Uint8Array,
  bound: number,
): SkippedKeys {
  if (entries.length === 0) return skipped;
  const known = skippedChainOf(crypto, skipped, peerKey);
  const joined = known ? joinedEntries(known.reveal(), entries) : entries;
  const others = skipped.filter((chain) => chain !== known);
  return bounded([...others, new SkippedChain(peerKey, 0, joined)], bound);
}

function bounded(skipped: SkippedKeys, bound: number): SkippedKeys {
  let surplus = skipped.reduce((sum, chain) => sum + chain.count, 0) - bound;
  return skipped.flatMap((chain) => {
    if (surplus <= 0) return [chain];
    const given = Math.min(surplus, chain.count);
    surplus -= given;
    return shortened(chain, 0, given * SKIPPED_ENTRY_BYTES);
  });
}

function shortened(chain: SkippedChain, from: number, to: number): SkippedChain[] {
  const entries = chain.reveal();
  const rest = joinedEntries(entries.subarray(0, from), entries.subarray(to));
  return rest.length === 0 ? [] : [new SkippedChain(chain.peerKey, chain.later, rest)];
}

function joinedEntries(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
