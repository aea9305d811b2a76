/**
 * The last receiving chains that a session left behind, by the beginning of the peer's ratchet key. A message of one of them whose key
 * is not among the skipped ones is a repeat (or hopelessly late): it is refused by name, without a key agreement.
 */
export const PAST_CHAIN_BYTES = 8;

/** Concatenated key beginnings, the oldest first. They are public and cannot be planted: only authentic messages begin a chain. */
export type PastChains = Uint8Array;

export const NO_PAST_CHAINS: PastChains = new Uint8Array(0);

export function isPastChain(past: PastChains, peerKey: Uint8Array): boolean {
  for (let at = 0; at < past.length; at += PAST_CHAIN_BYTES) {
    let i = 0;
    while (i < PAST_CHAIN_BYTES && past[at + i] === peerKey[i]) i += 1;
    if (i === PAST_CHAIN_BYTES) return true;
  }
  return false;
}

/** With one more, at most `bound` in all. */
export function withPastChain(past: PastChains, peerKey: Uint8Array, bound: number): PastChains {
  if (bound === 0) return NO_PAST_CHAINS;
  const kept = past.subarray(Math.max(0, past.length - (bound - 1) * PAST_CHAIN_BYTES));
  const longer = new Uint8Array(kept.length + PAST_CHAIN_BYTES);
  longer.set(kept);
  longer.set(peerKey.subarray(0, PAST_CHAIN_BYTES), kept.length);
  return longer;
}
