/** The directory of another domain as one that may be down, slow or lying: how much it is asked at once, and when it is left alone. */
import type { PeerDirectory } from './peer-settings.ts';

/** Below what LIME clients wait for an answer of ours. */
export const ANSWER_WITHIN_MS = 4_000;
/** A peer that failed is left alone for so long: a group's message must not wait for it time and again. */
const PAUSE_MS = 10_000;
/** To one peer at once. */
const MOST_UNDER_WAY = 16;

/** `failed`: it refuses, or does not do its work. `invalid`: its answer is none to what it was asked. `skipped`: it was not asked. */
export type ForeignResult = 'answered' | 'invalid' | 'failed' | 'skipped';

export type ForeignPeers = ReadonlyMap<string, ForeignPeer>;

export class ForeignPeer {
  #underWay = 0;
  /** When it failed last; undefined: it never did. */
  #failedAt: number | undefined;

  constructor(
    readonly place: PeerDirectory,
    private readonly now: () => number,
  ) {}

  /** False: it is not to be asked now. Else `end` must follow. */
  begin(): boolean {
    if (this.#underWay >= MOST_UNDER_WAY || this.#isPaused()) return false;
    this.#underWay++;
    return true;
  }

  end(): void {
    this.#underWay--;
  }

  /** It does not do its work: it is left alone for a while. */
  failed(): void {
    this.#failedAt = this.now();
  }

  /** A failure in the future is of a clock that was ahead: its pause is over. */
  #isPaused(): boolean {
    const age = this.#failedAt === undefined ? PAUSE_MS : this.now() - this.#failedAt;
    return age >= 0 && age < PAUSE_MS;
  }
}

/** By their domain. */
export function foreignPeers(peers: readonly PeerDirectory[], now: () => number): ForeignPeers {
  return new Map(peers.map((peer) => [peer.domain, new ForeignPeer(peer, now)]));
}

/** Rejects beyond `limit` bytes, before they are held. */
export async function readAtMost(response: Response, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > limit) throw new Error('longer than any honest answer');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
