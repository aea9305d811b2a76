/**
 * A genuine LIME client (liblime 5.3) as a child process, speaking JSON lines; its HTTP comes to us as events. The program is a separate
 * test tool beside the repository (`../shared/interop/lime-peer`), used where it was set up before.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAM = join(process.env.LIME_PEER_CACHE ?? join(homedir(), '.cache/lime-peer'), 'lime_peer');

/** Why there is no peer; undefined when there is one. */
export const missingPeer = existsSync(PROGRAM)
  ? undefined
  : 'the peer is not set up: run ../shared/interop/lime-peer/setup.sh';

type Answer = { ok: boolean; error?: string } & Record<string, unknown>;

/** Answers one request of the key-server protocol. */
export type KeyServer = (from: string, body: Uint8Array) => Uint8Array;

export class LimePeer {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting: ((answer: Answer) => void)[] = [];

  constructor(keyServer: KeyServer) {
    this.#process = spawn(PROGRAM, ['--delegate-http', '--db', ':memory:']);
    this.#process.stderr.resume();
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const message = JSON.parse(line);
      if (message.event !== 'http') return this.#waiting.shift()?.(message);
      const body = keyServer(message.from, Buffer.from(message.body_b64 ?? '', 'base64'));
      this.#write({ cmd: 'http_response', id: message.id, status: 200, body_b64: base64(body) });
    });
    this.#process.on('exit', () => {
      for (const waiting of this.#waiting.splice(0)) waiting({ ok: false, error: 'the peer ended' });
    });
  }

  /** Rejects when the answer is not ok. */
  async must(command: Record<string, unknown>): Promise<Answer> {
    const answer = await this.call(command);
    if (!answer.ok) throw new Error(`${command.cmd}: ${answer.error}`);
    return answer;
  }

  call(command: Record<string, unknown>): Promise<Answer> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#write(command);
    });
  }

  async quit(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#write({ cmd: 'quit' });
    this.#process.stdin.end();
    await ended;
  }

  #write(message: object): void {
    this.#process.stdin.write(`${JSON.stringify(message)}\n`);
  }
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

export function fromBase64(text: unknown): Uint8Array {
  return new Uint8Array(Buffer.from((text as string | undefined) ?? '', 'base64'));
}
