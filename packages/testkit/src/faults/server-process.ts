/** A whole server as a process: solo over LMDB in a folder, on one port of the loopback, that can be killed and started again. */
import { freePort } from '@sealwire/bus/testing/free-port';
import { SourceProcess } from './source-process.ts';

/** What a fault test is not about. */
const WITHOUT_LIMITS = [
  '--accounts-per-address',
  '--logins-per-address',
  '--logins-per-device',
  '--bundles-per-pair',
  '--bundles-per-target',
  '--bundles-per-requester',
  '--key-uploads-per-device',
  '--manifest-reads-per-address',
  '--manifest-writes-per-address',
  '--messages-per-pair',
  '--messages-per-recipient',
  '--bytes-per-sender',
].flatMap((flag) => [flag, '0']);

export class ServerProcess {
  readonly origin: string;
  #process: SourceProcess | undefined;

  private constructor(
    readonly folder: string,
    readonly port: number,
    private readonly options: readonly string[],
  ) {
    this.origin = `http://localhost:${port}`;
  }

  /** Not started yet: the port is known, so that tokens can be made for its origin. `options`: further arguments. */
  static async on(folder: string, options: readonly string[] = []): Promise<ServerProcess> {
    return new ServerProcess(folder, await freePort(), options);
  }

  /** Resolves when it listens, with what it said. */
  async start(): Promise<string> {
    const args = ['--listen', `127.0.0.1:${this.port}`, '--data-dir', this.folder, ...WITHOUT_LIMITS, ...this.options];
    this.#process = new SourceProcess('apps/solo/src/main.ts', args);
    await this.#process.says('Sealwire listens');
    return this.#process.stdout;
  }

  /** By the process that was started last. */
  get said(): { readonly stdout: string; readonly stderr: string } {
    return this.#process!;
  }

  /** kill -9; resolves when the process is gone. The signal is sent before this returns. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** SIGTERM: drains. Rejects when the process did not end in order. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const process = this.#process!;
    process.signal(signal);
    const code = await process.ended;
    if (signal === 'SIGTERM' && code !== 0) throw new Error(`the server ended with ${code}: ${process.stderr}`);
  }
}
