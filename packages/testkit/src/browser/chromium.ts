/**
 * A real browser without a screen, as a process that a test may kill; what it stores is in a folder
 * of the test's.
 */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { device } from './page.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const FLAGS = [
  '--headless=new',
  // Root of a container has no other way; the only page there is is ours.
  '--no-sandbox',
  '--remote-debugging-port=0',
  '--no-first-run',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Undefined: none here; `infra/scripts/chromium.sh` installs one on a Debian machine. */
export function findChromium(): string | undefined {
  for (const name of NAMES) {
    try {
      return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    } catch {
      // The next name.
    }
  }
  return undefined;
}

/** The calls of `page.ts`, from outside. */
export type RemoteDevice = {
  readonly [Call in keyof typeof device]: (
    ...args: Parameters<(typeof device)[Call]>
  ) => Promise<Awaited<ReturnType<(typeof device)[Call]>>>;
};

export class Chromium {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #browser: Browser;

  private constructor(process: ChildProcessWithoutNullStreams, browser: Browser) {
    this.#process = process;
    this.#browser = browser;
  }

  static async start(program: string, folder: string): Promise<Chromium> {
    const child = spawn(program, [...FLAGS, `--user-data-dir=${folder}`, 'about:blank'], { detached: true });
    child.stdout.resume();
    const endpoint = await new Promise<string>((resolve, reject) => {
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        const [, url] = /DevTools listening on (ws:\S+)/.exec(said) ?? [];
        if (url) resolve(url);
      });
      child.once('exit', () => reject(new Error(`the browser ended: ${said}`)));
    });
    return new Chromium(child, await chromium.connectOverCDP(endpoint));
  }

  async openPage(url: string): Promise<Page> {
    const page = await this.#browser.contexts()[0]!.newPage();
    await page.goto(url);
    return page;
  }

  /** kill -9 of all its processes: nothing is finished, nothing flushed. */
  async kill(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'exit');
      process.kill(-this.#process.pid!, 'SIGKILL');
      await ended;
    }
    await this.#browser.close();
  }
}

export function deviceIn(page: Page): RemoteDevice {
  return new Proxy({} as RemoteDevice, {
    get:
      (_target, call: string) =>
      (...args: unknown[]) =>
        page.evaluate(
          async ([name, values]) => {
            const page = globalThis as unknown as { device: Record<string, (...values: unknown[]) => unknown> };
            return page.device[name]!(...values);
          },
          [call, args] as const,
        ),
  });
}
