/** What every activity is given, and what a worker asks of it. */
import type { ClientRuntime } from '@sealwire/client/runtime';
import type { LightIdentity } from '@sealwire/light/account';
import type { Tally } from '../measuring/tally.ts';
import type { Records } from '../oracle/across.ts';
import type { Offences } from '../oracle/oracle.ts';

export interface Scene {
  /** Origin. */
  readonly server: string;
  /** URL of sockets. */
  readonly relay: string;
  readonly runtime: ClientRuntime;
  /** `RUN_BYTES` at random, of this phase, the same for all workers. */
  readonly run: Uint8Array;
  readonly tally: Tally;
  readonly offences: Offences;
  /** From 0 to 1, seeded: who writes when. */
  readonly random: () => number;
  /** ms since 1970, and never backwards. */
  readonly now: () => number;
  /** Sockets that this worker opens a second. */
  readonly connectRate: number;
  /** How long what is under way has at the end, ms. */
  readonly patienceMs: number;
  /** One line, each text once. */
  readonly warn: (text: string) => void;
}

export interface Playing {
  /** Resolves when everybody is there and connected. */
  prepare(): Promise<void>;
  /** Until `until` of the scene's clock, or the signal; resolves when nothing is under way any more, and what is missing is judged. */
  play(from: number, until: number, signal: AbortSignal): Promise<void>;
  /** Of conversations that are at several workers. */
  records?(): Records;
  end(): Promise<void>;
}

export type Identities = readonly LightIdentity[];

/** Resolves when `isDone`, or after `ms`; looks every ten milliseconds. Answers `isDone`. */
export async function waitFor(isDone: () => boolean, ms: number, now: () => number): Promise<boolean> {
  const end = now() + ms;
  while (!isDone() && now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
  return isDone();
}
