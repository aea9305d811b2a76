/**
 * A program around genuine liblime 5.3: JSON lines in, JSON lines out, many clients in one process. It is a separate test tool beside the
 * repository (`../shared/interop/lime-peer`, or `LIME_PEER_DIR`), used where it was built before (`LIME_PEER_CACHE`), or with `LIME_PEER=1`,
 * which builds it.
 */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const BESIDE = fileURLToPath(new URL('../../../../../shared/interop/lime-peer', import.meta.url));
const FOLDER = process.env.LIME_PEER_DIR ?? BESIDE;
const BUILT = join(process.env.LIME_PEER_CACHE ?? join(homedir(), '.cache/lime-peer'), 'lime_peer');
/** Fetches 17 MB the first time. */
const BUILD_MS = 240_000;
const QUIT_MS = 5_000;

/** The program's path, or why there is none. */
export type PeerProgram = { readonly path: string } | { readonly missing: string };

export function findPeerProgram(): PeerProgram {
  const setUp = join(FOLDER, 'setup.sh');
  if (!existsSync(setUp)) return { missing: 'the liblime peer is not beside this repository' };
  if (process.env.LIME_PEER !== '1' && !existsSync(BUILT))
    return { missing: 'the liblime peer is not built; LIME_PEER=1 builds it' };
  try {
    const path = execFileSync(setUp, { encoding: 'utf8', timeout: BUILD_MS, stdio: ['ignore', 'pipe', 'pipe'] });
    return { path: path.trim() };
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    const reason = stderr?.trim().split('\n').at(-1) ?? String(error);
    return { missing: `the liblime peer could not be built: ${reason}` };
  }
}

export type PeerAnswer = { readonly ok: boolean; readonly error?: string } & Record<string, unknown>;

/** A request that a device's liblime hands to us instead of sending it. */
export type HttpByCaller = (from: string, body: Uint8Array) => Promise<Uint8Array>;

export class PeerProcess {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<unknown>;
  #answered: ((answer: PeerAnswer) => void) | undefined;
  /** Commands go one by one: while the program waits for an HTTP answer it reads nothing else. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(program: string, http: HttpByCaller) {
    this.#process = spawn(program);
    this.#process.stderr.resume();
    this.#ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.once('exit', () => this.#answered?.({ ok: false, error: 'the peer ended' }));
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const message = JSON.parse(line);
      if (message.event === 'http') void this.#serve(message, http);
      else this.#answered?.(message);
    });
  }

  call(command: Record<string, unknown>): Promise<PeerAnswer> {
    const answer = this.#last.then(() => {
      if (this.#process.exitCode !== null || this.#process.signalCode) return { ok: false, error: 'the peer ended' };
      return new Promise<PeerAnswer>((resolve) => {
        this.#answered = resolve;
        this.#write(command);
      });
    });
    this.#last = answer;
    return answer;
  }

  /** Rejects with liblime's words when the answer is not ok. */
  async must(command: Record<string, unknown>): Promise<PeerAnswer> {
    const answer = await this.call(command);
    if (!answer.ok) throw new Error(`${command.cmd}: ${answer.error}`);
    return answer;
  }

  /** Asks it to end, and ends it if it does not. */
  async quit(): Promise<void> {
    const impatience = setTimeout(() => this.#process.kill('SIGKILL'), QUIT_MS);
    await this.call({ cmd: 'quit' });
    this.#process.stdin.end();
    await this.#ended;
    clearTimeout(impatience);
  }

  async #serve(event: { id: number; from: string; body_b64?: string }, http: HttpByCaller): Promise<void> {
    const reply = await http(event.from, fromBase64(event.body_b64)).catch(() => undefined);
    const status = reply ? 200 : 0;
    this.#write({ cmd: 'http_response', id: event.id, status, body_b64: base64(reply ?? new Uint8Array(0)) });
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
