/** A worker in a process of its own, and the other end of it. */
import { type ChildProcess, fork } from 'node:child_process';
import { LoadError } from '../errors.ts';
import type { Records } from '../oracle/across.ts';
import type { Verdict } from '../oracle/oracle.ts';
import type { Answer, Order } from './orders.ts';
import type { Hand, Saying, Share, Strain } from './share.ts';

export class ForkedWorker implements Hand {
  readonly #process: ChildProcess;
  #waiting: { resolve(result: unknown): void; reject(error: Error): void } | undefined;

  /** `entry`: the file of `worker-main.ts`. The process is started as this one was. */
  constructor(entry: string, say: (saying: Saying) => void) {
    // A signal of the terminal reaches the whole group: the conductor alone decides what it means.
    this.#process = fork(entry, [], { execArgv: process.execArgv, detached: false });
    this.#process.on('message', (answer: Answer) => {
      if (answer.say === 'done') this.#answered()?.resolve(answer.result);
      else if (answer.say === 'failed') this.#answered()?.reject(new LoadError('failure', answer.message));
      else say(answer);
    });
    this.#process.on('exit', (code, signal) =>
      this.#answered()?.reject(
        new LoadError(
          'failure',
          `a worker ended by itself (${signal ?? code}): is there memory enough for so many sockets?`,
        ),
      ),
    );
  }

  async prepare(share: Share): Promise<void> {
    await this.#ask({ order: 'prepare', share });
  }

  async play(from: number, until: number): Promise<Strain> {
    return (await this.#ask({ order: 'play', from, until })) as Strain;
  }

  async records(): Promise<Records> {
    return (await this.#ask({ order: 'records' })) as Records;
  }

  async finish(): Promise<Verdict> {
    return (await this.#ask({ order: 'finish' })) as Verdict;
  }

  stop(): void {
    if (this.#process.connected) this.#process.send({ order: 'stop' } satisfies Order);
  }

  end(): void {
    this.#waiting = undefined;
    if (this.#process.connected) this.#process.disconnect();
  }

  #ask(order: Order): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!this.#process.connected) return reject(new LoadError('failure', 'a worker is gone'));
      this.#waiting = { resolve, reject };
      this.#process.send(order);
    });
  }

  #answered() {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }
}
