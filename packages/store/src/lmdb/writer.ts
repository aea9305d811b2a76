/**
 * Group commit: calls that wait are carried out one after the other in one LMDB write transaction, made durable by one fdatasync.
 * While it is on its way to the disk the next ones gather, so that a busy store makes larger commits, not more of them.
 */
import { StoreError } from '../port.ts';
import { type Environment, writeError } from './environment.ts';

interface Job {
  readonly run: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Parts of the store that gather changes of one transaction in memory. */
export interface Participant {
  /** A transaction begins. `isAlone`: nobody, in no process, has committed since the one before, so that what is remembered still holds. */
  begin(isAlone: boolean): void;
  /** Writes what was gathered, still inside the transaction; true when there was something. */
  write(): boolean;
  /** The transaction is over: durable, or undone. */
  done(committed: boolean): void;
}

export class Writer {
  readonly #environment: Environment;
  readonly #participants: Participant[] = [];
  #waiting: Job[] = [];
  #flight: Promise<void> | undefined;
  /** LMDB's number of the last transaction; undefined when it may have come to nothing, because LMDB then gives its number to another. */
  #last: number | undefined;
  #closed = false;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  join(participant: Participant): void {
    this.#participants.push(participant);
  }

  /**
   * Runs `job` in a write transaction and resolves with what it returns once that is durable. A job that throws `StoreError` must do so
   * before its first write: it rejects alone, and the transaction goes on. Anything else that is thrown, and
   * `corrupt`, undoes the transaction, and all jobs in it reject: with `unavailable`, or with that `corrupt`.
   */
  run<Result>(job: () => Result): Promise<Result> {
    if (this.#closed) return Promise.reject(new StoreError('unavailable', 'the store is closed'));
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ run: job, resolve, reject });
      this.#flight ??= this.#fly();
    });
  }

  /** Refuses new jobs and waits for those under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#flight;
  }

  /** One transaction at a time: what participants remember of one must be settled before the next begins. */
  async #fly(): Promise<void> {
    while (this.#waiting.length > 0) {
      const settle: (() => void)[] = [];
      let jobs: Job[] = [];
      let failure: StoreError | undefined;
      try {
        // A child of the library's own transaction, because only a child is undone when the callback throws.
        await this.#environment.root.childTransaction(() => {
          jobs = this.#waiting;
          this.#waiting = [];
          this.#begin();
          for (const job of jobs) settle.push(outcome(job));
          let wrote = false;
          for (const participant of this.#participants) wrote = participant.write() || wrote;
          if (!wrote) this.#last = undefined;
        });
      } catch (error) {
        failure = await writeError(error);
      }
      if (failure) this.#last = undefined;
      if (failure && jobs.length === 0) {
        jobs = this.#waiting;
        this.#waiting = [];
      }
      for (const participant of this.#participants) participant.done(!failure);
      if (failure) for (const { reject } of jobs) reject(failure);
      else for (const each of settle) each();
    }
    this.#flight = undefined;
  }

  #begin(): void {
    const current = this.#environment.root.getWriteTxnId();
    const isAlone = this.#last !== undefined && current === this.#last + 1;
    this.#last = current;
    for (const participant of this.#participants) participant.begin(isAlone);
  }
}

function outcome({ run, resolve, reject }: Job): () => void {
  try {
    const value = run() as never;
    return () => resolve(value);
  } catch (error) {
    if (error instanceof StoreError && error.kind !== 'corrupt') return () => reject(error);
    throw error;
  }
}
