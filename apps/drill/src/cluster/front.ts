/** nginx in front of the services, with the configuration that operators get (infra/nginx). */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const template = fileURLToPath(new URL('../../../../infra/nginx/sealwire.conf.template', import.meta.url));
/** Two for each of 2,000 sockets, and room. */
const CONNECTIONS = 8_192;

/** The ports of the servers behind it. */
export interface Routes {
  readonly api: readonly number[];
  readonly directory: readonly number[];
  readonly relay: readonly number[];
}

export interface FrontTerms extends Routes {
  readonly folder: string;
  readonly port: number;
}

export class Front {
  #child: ChildProcess | undefined;
  #terms: FrontTerms | undefined;

  /** Resolves when nginx runs; the servers need not. */
  async start(terms: FrontTerms): Promise<void> {
    const { folder } = terms;
    this.#terms = terms;
    const site = writeSite(terms);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${join(folder, `nginx-${name}`)};`)
      .join(' ');
    const main = [
      `pid ${join(folder, 'nginx.pid')};`,
      'daemon off;',
      'worker_processes 1;',
      `worker_rlimit_nofile ${2 * CONNECTIONS};`,
      `events { worker_connections ${CONNECTIONS}; }`,
      `http { access_log off; ${temporary} include ${site}; }`,
    ];
    const path = join(folder, 'nginx.conf');
    writeFileSync(path, `${main.join('\n')}\n`);
    const log = openSync(join(folder, 'nginx.log'), 'a', 0o600);
    const child = spawn('nginx', ['-c', path, '-e', 'stderr'], { stdio: ['ignore', log, log] });
    await once(child, 'spawn');
    this.#child = child;
  }

  /** From now on, or a moment later, new connections go to these; those that are open stay where they are. */
  route(routes: Routes): void {
    if (!this.#terms) throw new Error('nginx does not run');
    this.#terms = { ...this.#terms, ...routes };
    writeSite(this.#terms);
    this.#child?.kill('SIGHUP');
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    await closed;
  }
}

/** Path of the configuration that nginx includes. */
function writeSite({ folder, port, api, directory, relay }: FrontTerms): string {
  const values: Record<string, string> = {
    LISTEN: `127.0.0.1:${port}`,
    SERVER_NAME: '_',
    API: serversOf(api),
    DIRECTORY: serversOf(directory),
    RELAY: serversOf(relay),
  };
  const site = join(folder, 'site.conf');
  writeFileSync(
    site,
    readFileSync(template, 'utf8').replace(/\$\{([A-Z_]+)\}/g, (all, name) => values[name] ?? all),
  );
  return site;
}

function serversOf(ports: readonly number[]): string {
  return ports.map((port) => `server 127.0.0.1:${port} max_fails=0;`).join(' ');
}
