/** Two people, a whole server, and the command line between them, each a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FROM_SOURCE, type Measured, measured, root } from './measured-process.ts';

export interface Server {
  readonly pid: number;
  end(signal: NodeJS.Signals): Promise<void>;
}

/** `options`: beyond address and folder. Resolves when it serves. */
export async function startServer(
  folder: string,
  port: number,
  options: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Server> {
  const main = join(root, 'apps/solo/src/main.ts');
  const limits = ['--logins-per-device', '0', '--logins-per-address', '0'];
  const args = [...FROM_SOURCE, main, '--listen', `127.0.0.1:${port}`, '--data-dir', folder, ...limits, ...options];
  const child: ChildProcess = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  let said = '';
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        if (said.length < 65_536) said += text;
        if (said.includes('Sealwire listens') || said.includes('listening')) resolve();
      });
    ended.then(() => reject(new Error(`the server ended: ${said}`)), reject);
  });
  return {
    pid: child.pid as number,
    async end(signal) {
      child.kill(signal);
      await ended;
    },
  };
}

export interface World {
  sealwire(name: string, ...args: string[]): Promise<Measured>;
}

/** alice and bob, registered at `origin`, with folders below `folder`. */
export async function people(folder: string, origin: string): Promise<World> {
  const main = join(root, 'apps/cli/src/main.ts');
  const sealwire = (name: string, ...args: string[]) =>
    measured(process.execPath, [...FROM_SOURCE, main, ...args], { HOME: join(folder, name), SEALWIRE_SERVER: origin });
  for (const name of ['alice', 'bob']) {
    mkdirSync(join(folder, name));
    await sealwire(name, 'register', '-u', name, '--no-passphrase');
  }
  return { sealwire };
}
