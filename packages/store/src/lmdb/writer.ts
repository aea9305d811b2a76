/**
 * Group commit: calls that wait are carried out one after the other in one transaction, made durable by one fdatasync. While it is on its way
 * to the disk the next ones gather, so that a busy store makes larger transactions, not more of them.
 *
 * A transaction holds LMDB's write lock, which is what parts the processes of one folder; but LMDB need not write: what the journal can say
 * becomes durable in its file (docs/adr/0013-the-journal-in-a-file-of-its-own.md), and LMDB's transaction comes to nothing.
 */
import { ABORT } from 'lmdb';
import { StoreError } from '../port.ts';
import { type Environment, writeError } from './environment.ts';

interface Job {
  readonly run: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  /** Its work is of a kind that the journal can say, most of the time. */
  readonly mayFly: boolean;
}

/** The part of the store that gathers changes of one transaction in memory. */
export interface Participant {
  /** A transaction begins. `isAlone`: nobody, in no process, has committed to LMDB since the one before, so that what is remembered still holds. */
  begin(isAlone: boolean): void;
  /** Writes what was gathered to the journal; false: that cannot be, and nothing has happened. */
  fly(): boolean;
  /** What `fly` wrote is durable. */
  sync(): Promise<void>;
  /** Writes what was gathered to LMDB, still inside the transaction; true when there was something. */
  write(): boolean;
  /** The transaction is over: durable, or undone. */
  done(committed: boolean): void;
  /** It wants a transaction of LMDB soon. */
  readonly isOverdue: boolean;
}

export class Writer {
  readonly #environment: Environment;
  #participant: Participant | undefined;
  #waiting: Job[] = [];
  #flight: Promise<void> | undefined;
  /** LMDB's number of the next transaction, if nobody else commits; undefined when the last one may have come to nothing. */
  #next: number | undefined;
  #closed = false;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  join(participant: Participant): void {
    this.#participant = participant;
  }

  /**
   * Runs `job` in a write transaction and resolves with what it returns once that is durable. A job that throws `StoreError` must do so
   * before its first write: it rejects alone, and the transaction goes on. Anything else that is thrown, and
   * `corrupt`, undoes the transaction, and all jobs in it reject: with `unavailable`, or with that `corrupt`.
   */
  run<Result>(job: () => Result): Promise<Result> {
    return this.#submit(job, false);
  }

  /** The same for a job that gathers all it changes with the participant, so that the journal may be enough. It may run twice: the first time is undone. */
  runInJournal<Result>(job: () => Result): Promise<Result> {
    return this.#submit(job, true);
  }

  /** Refuses new jobs and waits for those under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#flight;
  }

  #submit<Result>(run: () => Result, mayFly: boolean): Promise<Result> {
    if (this.#closed) return Promise.reject(new StoreError('unavailable', 'the store is closed'));
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ run, resolve, reject, mayFly });
      this.#flight ??= this.#work();
    });
  }

  /** One transaction at a time: what the participant remembers of one must be settled before the next begins. */
  async #work(): Promise<void> {
    // A turn of promises, in which calls that come together gather.
    await undefined;
    while (this.#waiting.length > 0) {
      if (this.#participant?.isOverdue) await this.#writeToLmdb(() => []);
      const [{ mayFly }] = this.#waiting as [Job];
      const jobs = mayFly && this.#participant ? this.#take(true) : undefined;
      if (!jobs) await this.#writeToLmdb(() => this.#take(false));
      else if (!(await this.#fly(jobs, this.#participant as Participant))) await this.#writeToLmdb(() => jobs);
    }
    this.#flight = undefined;
  }

  /** The jobs that wait and may fly, or may not, up to the first that is different: they keep their order. */
  #take(mayFly: boolean): Job[] {
    const end = this.#waiting.findIndex((job) => job.mayFly !== mayFly);
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  /** False: the journal cannot say it, and nothing has happened. LMDB's lock is held for a moment, and not while the disk is waited for. */
  async #fly(jobs: readonly Job[], participant: Participant): Promise<boolean> {
    let settle: (() => void)[] = [];
    let flies = false;
    try {
      this.#environment.root.transactionSync(() => {
        this.#begin();
        settle = jobs.map(outcome);
        flies = participant.fly();
        return ABORT;
      });
      if (flies) await participant.sync();
    } catch (error) {
      participant.done(false);
      const failure = await writeError(error);
      for (const { reject } of jobs) reject(failure);
      return true;
    }
    participant.done(flies);
    if (flies) for (const each of settle) each();
    return flies;
  }

  async #writeToLmdb(take: () => Job[]): Promise<void> {
    const settle: (() => void)[] = [];
    let jobs: Job[] | undefined;
    let failure: StoreError | undefined;
    try {
      // A child of the library's own transaction, because only a child is undone when the callback throws.
      await this.#environment.root.childTransaction(() => {
        jobs = take();
        this.#begin();
        for (const job of jobs) settle.push(outcome(job));
        const wrote = this.#participant?.write();
        this.#next = wrote && this.#next !== undefined ? this.#next + 1 : undefined;
      });
    } catch (error) {
      failure = await writeError(error);
      this.#next = undefined;
      jobs ??= take();
    }
    this.#participant?.done(!failure);
    if (failure) for (const { reject } of jobs ?? []) reject(failure);
    else for (const each of settle) each();
  }

  #begin(): void {
    const current = this.#environment.root.getWriteTxnId();
    const isAlone = current === this.#next;
    this.#next = current;
    this.#participant?.begin(isAlone);
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
