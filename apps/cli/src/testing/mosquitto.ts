/** For tests: a real MQTT broker on a free port of 127.0.0.1, with sessions and waiting messages in `folder`. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';

/** Debian has it where only root's PATH looks. */
const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;

/** Whether mosquitto is installed here. */
export const hasMosquitto = spawnSync('mosquitto', ['-h'], { env: { PATH } }).error === undefined;

export interface Mosquitto {
  readonly url: string;
  /** On the same port, with what it had kept. Resolves when it listens. */
  start(): Promise<void>;
  /** It writes down what it keeps. */
  stop(): Promise<void>;
}

/** `access`: who may do what, in its configuration's lines. */
export async function startMosquitto(folder: string, access = ['allow_anonymous true']): Promise<Mosquitto> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const file = join(folder, 'mosquitto.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    ...access,
    'persistence true',
    `persistence_location ${folder}/`,
    'log_dest stderr',
    // Else it would leave root, to whom the folder belongs.
    `user ${userInfo().username}`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  let child: ChildProcess | undefined;
  const mosquitto: Mosquitto = {
    url: `mqtt://127.0.0.1:${port}`,
    async start() {
      const started = spawn('mosquitto', ['-c', file], { env: { PATH }, stdio: ['ignore', 'ignore', 'pipe'] });
      child = started;
      let said = '';
      for await (const chunk of started.stderr!) {
        said += chunk;
        if (said.includes(' running')) break;
      }
      if (!said.includes(' running')) throw new Error(`mosquitto ended: ${said}`);
    },
    async stop() {
      if (!child || child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      child = undefined;
    },
  };
  await mosquitto.start();
  return mosquitto;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
