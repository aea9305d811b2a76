/**
 * Counters of limiters: how much was taken by a key in the window that runs. In this process, or shared by all (docs/adr/0037).
 * What is charged together is taken together or not at all, whoever else takes at the same time.
 */
export interface Charge {
  /** The limiter's name. Its charges all have one window length. */
  readonly counter: string;
  readonly key: string;
  readonly points: number;
  /** Points in a window, which begins with the first of them. `Infinity`: counted, and never refused. */
  readonly limit: number;
  readonly windowMs: number;
  /** So many of the limit are for those who have taken nothing from the counter of the charge of that index. */
  readonly reserve?: { readonly points: number; readonly untakenAt: number };
}

export interface Standing {
  readonly taken: number;
  /** Until the window ends. */
  readonly leftMs: number;
}

export interface Taking {
  /** Index of the first charge that is refused: then nothing was taken. Undefined: all was. */
  readonly refusedAt: number | undefined;
  /** One for each charge, as it is now. */
  readonly standings: readonly Standing[];
}

export interface Counters {
  /** Who counts together: this process, or all that share a server. */
  readonly reach: 'process' | 'nodes';
  /**
   * All or nothing. `slot`: charges that are ever taken together name the same one; on a cluster it says where they are.
   * Never rejects for a server that does not answer: what happens then is the adapter's promise.
   */
  take(slot: string, charges: readonly Charge[]): Promise<Taking>;
  /** What `take` would answer, and takes nothing. */
  look(slot: string, charges: readonly Charge[]): Promise<Taking>;
  /** What was taken in the windows that run was not needed: as if it had not been. */
  giveBack(slot: string, charges: readonly Charge[]): Promise<void>;
  close(): Promise<void>;
}
