/**
 * Group commit: calls that wait are carried out one after the other in one commit, made durable
 * together. While it is on its way to the disk the next ones gather, so that a busy store makes
 * larger commits, not more of them. There are two such queues: this one's commits are transactions
 * of LMDB, the other's (`log/log-writer.ts`) records of the log.
 */
import { StoreError } from '../port.ts';
import { type Environment, writeError } from './environment.ts';

interface Job {
  readonly run: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Calls `perform`, which runs the jobs, and resolves once what they did is durable. May call it
 * twice, if it undoes the first time.
 */
export type Commit = (perform: () => void) => Promise<void>;

/** What more is known of a failed commit. */
export type Explain = (failure: StoreError) => StoreError | Promise<StoreError>;

export class Writer {
  readonly #commit: Commit;
  readonly #explain: Explain;
  readonly #waiting: Job[] = [];
  #work: Promise<void> | undefined;
  #isClosed = false;

  constructor(commit: Commit, explain: Explain = (failure) => failure) {
    this.#commit = commit;
    this.#explain = explain;
  }

  /**
   * Runs `job` in a commit and resolves with what it returns once that is durable. A job that
   * throws `StoreError` must do so before its first write, but for `corrupt`, which undoes the
   * commit: it rejects alone, and the others are carried out again without it. Anything else that
   * is thrown undoes the commit, and all jobs in it reject with `unavailable`.
   */
  run<Result>(job: () => Result): Promise<Result> {
    if (this.#isClosed) return Promise.reject(new StoreError('unavailable', 'the store is closed'));
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ run: job, resolve, reject });
      this.#work ??= this.#commitAll();
    });
  }

  /** Refuses new jobs and waits for those under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#work;
  }

  async #commitAll(): Promise<void> {
    // A turn of promises, in which calls that come together gather.
    await undefined;
    while (this.#waiting.length > 0) await this.#commitWaiting();
    this.#work = undefined;
  }

  async #commitWaiting(): Promise<void> {
    let jobs: Job[] | undefined;
    let answers: (() => void)[] = [];
    for (;;)
      try {
        await this.#commit(() => {
          jobs ??= this.#waiting.splice(0);
          answers = jobs.map(answerOf);
        });
        for (const answer of answers) answer();
        return;
      } catch (error) {
        if (error instanceof CorruptJob && jobs) {
          error.job.reject(error.cause);
          jobs = jobs.filter((job) => job !== error.job);
          if (jobs.length > 0) continue;
          return;
        }
        const failure = await this.#explain(await writeError(error));
        for (const { reject } of jobs ?? this.#waiting.splice(0)) reject(failure);
        return;
      }
  }
}

/** A job met something that is damaged, perhaps after it had written. */
class CorruptJob extends StoreError {
  constructor(
    readonly job: Job,
    override readonly cause: StoreError,
  ) {
    super('corrupt', cause.message, { cause });
  }
}

function answerOf(job: Job): () => void {
  try {
    const value = job.run() as never;
    return () => job.resolve(value);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.kind === 'corrupt') throw new CorruptJob(job, error);
    return () => job.reject(error);
  }
}

/** The queue of transactions of LMDB. */
export function lmdbWriter({ root }: Environment, explain?: Explain): Writer {
  // A child of the library's own transaction, because only a child is undone when the callback
  // throws.
  return new Writer((perform) => root.childTransaction(perform), explain);
}
