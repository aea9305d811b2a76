/**
 * The database and Redis of a drill, of its own: started, killed and paused by infra/engines, in a folder that no other engines share
 * (their processes are told apart by it).
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const scripts = fileURLToPath(new URL('../../../../infra/engines/', import.meta.url));

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

  /** With nothing in them. The very first time in a folder takes some minutes. */
  async up(): Promise<void> {
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
    await this.#script('redis.sh', 'stop', 'single');
    await this.#script('redis.sh', 'up', 'single');
  }

  /** The connections of subscribers break; the others do not. */
  async killSubscribers(): Promise<void> {
    const socket = connect(this.#ports.redis, '127.0.0.1');
    socket.end('CLIENT KILL TYPE pubsub\r\n').resume();
    await once(socket, 'close');
  }

  async down(): Promise<void> {
    await this.#script('redis.sh', 'stop', 'single');
    await this.#script('documentdb.sh', 'stop');
  }

  #gateway(): number {
    return Number(readFileSync(join(this.#folder, 'documentdb/state/gw.pid'), 'utf8'));
  }

  async #script(name: string, ...args: string[]): Promise<void> {
    await run('bash', [join(scripts, name), ...args], { env: this.#environment });
  }
}
