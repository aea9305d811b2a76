/** Starts a measured process on its own core, and asks it things. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import type { Reply, Request, ServerKind } from './protocol.ts';

export const hasTaskset = spawnSync('taskset', ['-V']).status === 0;

const profileFolder = process.argv.find((argument) => argument.startsWith('--profile='))?.slice('--profile='.length);
/** The relay's own cost, without a store. */
const isUnstored = process.argv.includes('--unstored');
/** `ws` as it installs itself, or with the native helper that the relay gives it (docs/adr/0014-a-native-helper-for-ws.md). */
const bareEnvironment = process.argv.includes('--bufferutil') ? {} : { WS_NO_BUFFER_UTIL: '1' };

const LOADER = new URL('../../../infra/scripts/swc-loader.mjs', import.meta.url).pathname;
const SERVER = new URL('./server.ts', import.meta.url).pathname;

export interface NodeTerms {
  readonly name: string;
  /** URLs, as `STORE_URL` and `BUS_URL`. */
  readonly store: string;
  readonly bus: string;
}

export class MeasuredServer {
  private constructor(
    readonly kind: ServerKind,
    readonly port: number,
    private readonly child: ChildProcess,
  ) {}

  /** `node`: ours as one node of several, with the engines of `NodeTerms`. `knows`: it signed the tokens itself, as `npm start` does. */
  static async start(kind: ServerKind, node?: NodeTerms, knows = false): Promise<MeasuredServer> {
    const all = [
      ...(profileFolder && kind === 'ours' ? ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`] : []),
      '--expose-gc',
      '--conditions=@sealwire/source',
      '--disable-warning=ExperimentalWarning',
      '--import',
      LOADER,
      SERVER,
      kind,
      ...(isUnstored ? ['unstored'] : []),
      ...(knows ? ['knows'] : []),
      ...(node ? [`--store=${node.store}`, `--bus=${node.bus}`, `--node=${node.name}`] : []),
    ];
    const [command, args] = hasTaskset ? ['taskset', ['-c', '0', process.execPath, ...all]] : [process.execPath, all];
    const env = { ...process.env, ...(kind !== 'ours' && bareEnvironment) };
    const child = spawn(command, args, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const { port } = await next<{ port: number }>(child);
    return new MeasuredServer(kind, port, child);
  }

  async ask(request: Request): Promise<Reply> {
    const answer = next<Reply>(this.child);
    this.child.send(request);
    return answer;
  }

  async cpuMicros(): Promise<number> {
    return (await this.ask({ ask: 'cpu' })).cpuMicros ?? 0;
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    await this.ask({ ask: 'end' });
    await ended;
  }
}

function next<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const exited = (code: number | null) => reject(new Error(`the measured process ended with ${code}`));
    child.once('exit', exited);
    child.once('message', (message) => {
      child.off('exit', exited);
      resolve(message as T);
    });
  });
}
