/** What a worker is told to do in one phase, and what it says: plain data, so that it passes between processes. */

import type { Elsewhere, WrittenIdentity } from '../identities/identity.ts';
import type { Tick } from '../measuring/tally.ts';
import type { Records } from '../oracle/across.ts';
import type { Verdict } from '../oracle/oracle.ts';
import type { CryptoMode } from '../plan.ts';

export type Part =
  | {
      readonly kind: 'talk';
      readonly groups: readonly (readonly (WrittenIdentity | Elsewhere)[])[];
      readonly sdkGroups: readonly (readonly { readonly id: string; readonly keysFile: string }[])[];
      /** See `TalkingTerms`. */
      readonly across?: number | undefined;
      readonly rate?: number | undefined;
      readonly inFlight?: number | undefined;
      readonly think?: readonly [number, number] | undefined;
      readonly size: number;
      readonly crypto: CryptoMode;
    }
  | { readonly kind: 'connect'; readonly devices: readonly WrittenIdentity[] }
  | { readonly kind: 'storm'; readonly devices: readonly WrittenIdentity[]; readonly every: number }
  | { readonly kind: 'keys'; readonly devices: readonly WrittenIdentity[]; readonly rate: number }
  | {
      readonly kind: 'files';
      readonly devices: readonly WrittenIdentity[];
      readonly rate: number;
      readonly size: number;
    };

export interface Share {
  readonly server: string;
  readonly relay: string;
  /** Of the phase, the same for all workers: `RUN_BYTES`, base64url. */
  readonly run: string;
  readonly parts: readonly Part[];
  readonly seed: number;
  /** Sockets a second that this worker opens. */
  readonly connectRate: number;
  /** Addresses of this machine that its sockets come from in turn; none: the system chooses. */
  readonly sources: readonly string[];
  readonly patienceMs: number;
  /** To be added to the worker's own clock: then all workers of all machines have the conductor's. */
  readonly clockOffsetMs: number;
}

/** How the generator itself fared. */
export interface Strain {
  /** 99th percentile of how long the event loop was busy at a time, ms. */
  readonly loopDelay99Ms: number;
  /** CPU time over wall time: 1 is a whole core. */
  readonly cores: number;
}

export type Saying = { readonly say: 'tick'; readonly tick: Tick } | { readonly say: 'warning'; readonly text: string };

/** A worker as the conductor sees it. */
export interface Hand {
  /** Resolves when everybody of the share is connected. Rejects with a `LoadError`. */
  prepare(share: Share): Promise<void>;
  /** From `from` until `until`, ms since 1970 by the conductor's clock. Resolves when what was under way is done or judged. */
  play(from: number, until: number): Promise<Strain>;
  /** Of conversations that are at several workers: what has been sent and has come so far. */
  records(): Promise<Records>;
  /** Closes what `prepare` opened; answers the verdict of the phase. */
  finish(): Promise<Verdict>;
  /** Ends what is played early, and in order. */
  stop(): void;
  /** The worker is of no use after it. */
  end(): void;
}
