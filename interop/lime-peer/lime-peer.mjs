// Finds, builds and talks to lime_peer, the program around genuine liblime: JSON lines in, JSON lines out (README.md).
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SET_UP = fileURLToPath(new URL('setup.sh', import.meta.url));
/** Fetches 17 MB the first time. */
const BUILD_MS = 240_000;
const QUIT_MS = 5_000;

/** The program where it was built before, or with `LIME_PEER=1`, which builds it; else why there is none. */
export function findPeer() {
  const setUp = (...args) =>
    execFileSync(SET_UP, args, { encoding: 'utf8', timeout: BUILD_MS, stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  try {
    const path = setUp('--path');
    if (existsSync(path)) return { path };
    if (process.env.LIME_PEER !== '1')
      return { missing: 'not built: interop/lime-peer/setup.sh or LIME_PEER=1 builds it' };
    return { path: setUp() };
  } catch (error) {
    const reason = error.stderr?.trim().split('\n').at(-1) || error.message;
    return { missing: `not to be built: ${reason}` };
  }
}

export class LimePeer {
  #process;
  #ended;
  #answered;
  /** Commands go one by one: while the program waits for an HTTP answer it reads nothing else. */
  #last = Promise.resolve();

  constructor(program, { args = [], http } = {}) {
    this.#process = spawn(program, args);
    this.#process.stderr.resume();
    this.#ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.once('exit', () => this.#answered?.({ ok: false, error: 'the peer ended' }));
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const message = JSON.parse(line);
      if (message.event === 'http') this.#serve(message, http);
      else this.#answered?.(message);
    });
  }

  call(command) {
    const answer = this.#last.then(() => {
      if (this.#process.exitCode !== null || this.#process.signalCode) return { ok: false, error: 'the peer ended' };
      return new Promise((resolve) => {
        this.#answered = resolve;
        this.#write(command);
      });
    });
    this.#last = answer;
    return answer;
  }

  async must(command) {
    const answer = await this.call(command);
    if (!answer.ok) throw new Error(`${command.cmd}: ${answer.error}`);
    return answer;
  }

  async quit() {
    const impatience = setTimeout(() => this.#process.kill('SIGKILL'), QUIT_MS);
    await this.call({ cmd: 'quit' });
    this.#process.stdin.end();
    await this.#ended;
    clearTimeout(impatience);
  }

  async #serve({ id, from, body_b64 }, http) {
    try {
      const body = await http(from, fromBase64(body_b64));
      this.#write({ cmd: 'http_response', id, status: 200, body_b64: base64(body) });
    } catch {
      // To liblime as to any caller: there was no answer.
      this.#write({ cmd: 'http_response', id, status: 0 });
    }
  }

  #write(message) {
    this.#process.stdin.write(`${JSON.stringify(message)}\n`);
  }
}

export const base64 = (bytes) => Buffer.from(bytes).toString('base64');
export const fromBase64 = (text) => new Uint8Array(Buffer.from(text ?? '', 'base64'));
