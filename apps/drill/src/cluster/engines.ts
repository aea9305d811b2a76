/**
 * The database and Redis of a drill, of its own: started, killed and paused by infra/engines, in a folder that no other engines share
 * (their processes are told apart by it).
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const scripts = fileURLToPath(new URL('../../../../infra/engines/', import.meta.url));

const ROOT = 'documentdb/root';
const GATEWAY = 'ferretdb-';

/** Where engines are built already, as for the tests of several nodes; undefined: nowhere. */
export function builtEngines(): string | undefined {
  const folder = process.env.SEALWIRE_ENGINES ?? join(homedir(), '.cache/sealwire-engines');
  return existsSync(join(folder, ROOT, '.ready')) && gatewaysIn(folder).length > 0 ? folder : undefined;
}

/** Programs, by version. */
function gatewaysIn(folder: string): string[] {
  const bin = join(folder, 'bin');
  return existsSync(bin) ? readdirSync(bin).filter((name) => name.startsWith(GATEWAY)) : [];
}

export interface EnginePorts {
  readonly mongo: number;
  readonly postgres: number;
  readonly redis: number;
}

export class Engines {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #folder: string;
  readonly #ports: EnginePorts;

  constructor(folder: string, ports: EnginePorts) {
    this.#folder = folder;
    this.#ports = ports;
    this.#environment = {
      ...process.env,
      SEALWIRE_ENGINES: folder,
      MONGO_PORT: String(ports.mongo),
      PG_PORT: String(ports.postgres),
      REDIS_PORT: String(ports.redis),
      REPLSET: 'rs0',
    };
  }

  /** With nothing in them. The very first time on a machine takes some minutes. */
  async up(): Promise<void> {
    await this.#copyBuilt();
    await this.#script('documentdb.sh', 'wipe');
    await this.startDatabase();
    await this.emptyRedis();
  }

  async startDatabase(): Promise<void> {
    await this.#script('documentdb.sh', 'up');
  }

  async killDatabase(): Promise<void> {
    await this.#script('documentdb.sh', 'kill9', 'pg');
  }

  async killGateway(): Promise<void> {
    await this.#script('documentdb.sh', 'kill9', 'gw');
  }

  /** The server that clients talk to; it answers nothing, and its connections stay open. */
  pauseDatabase(): void {
    process.kill(this.#gateway(), 'SIGSTOP');
  }

  resumeDatabase(): void {
    process.kill(this.#gateway(), 'SIGCONT');
  }

  async killRedis(): Promise<void> {
    await this.#script('redis.sh', 'kill9', 'single');
  }

  /** Started, and nothing in it. */
  async emptyRedis(): Promise<void> {
    await this.stopRedis();
    await this.#script('redis.sh', 'up', 'single');
  }

  /** The connections of subscribers break; the others do not. */
  async killSubscribers(): Promise<void> {
    const socket = connect(this.#ports.redis, '127.0.0.1');
    socket.end('CLIENT KILL TYPE pubsub\r\n').resume();
    await once(socket, 'close');
  }

  async stopRedis(): Promise<void> {
    await this.#script('redis.sh', 'stop', 'single');
  }

  async down(): Promise<void> {
    await this.stopRedis();
    await this.#script('documentdb.sh', 'stop');
  }

  /** What another folder has built is copied, and nothing of its data: a second instead of minutes. */
  async #copyBuilt(): Promise<void> {
    const built = builtEngines();
    if (built === undefined || existsSync(join(this.#folder, ROOT, '.ready'))) return;
    const to = join(this.#folder, ROOT);
    mkdirSync(to, { recursive: true });
    mkdirSync(join(this.#folder, 'bin'), { recursive: true });
    for (const name of gatewaysIn(built)) copyFileSync(join(built, 'bin', name), join(this.#folder, 'bin', name));
    // Last of all `.ready`, as when it is built: a copy that was broken off is not taken for a whole one.
    const tar =
      'tar -C "$1" --exclude=./var/lib/doc --exclude=./.ready -cf - . | tar -C "$2" -xf - && touch "$2/.ready"';
    await run('bash', ['-o', 'pipefail', '-c', tar, 'copy', join(built, ROOT), to]);
  }

  #gateway(): number {
    return Number(readFileSync(join(this.#folder, 'documentdb/state/gw.pid'), 'utf8'));
  }

  async #script(name: string, ...args: string[]): Promise<void> {
    await run('bash', [join(scripts, name), ...args], { env: this.#environment });
  }
}
