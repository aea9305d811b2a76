/**
 * docker-compose.yml for real: the image is built by its Dockerfile, all services are brought up by docker compose on podman, and the command
 * line talks through them (infra/engines/compose-talk.sh says what is shown). The images of others are stand-ins (infra/engines/stand-ins.yml).
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { freePort } from '@sealwire/bus/testing/free-port';
import { renderNginx } from './nginx.ts';

const engines = fileURLToPath(new URL('../../../infra/engines/', import.meta.url));
const root = fileURLToPath(new URL('../../../', import.meta.url));
const script = join(engines, 'compose.sh');
const database = join(engines, 'documentdb.sh');
const MONGO_PORT = process.env.MONGO_PORT ?? '27617';
/** As infra/engines/s3.sh has built it. */
const VERSITYGW = join(
  process.env.SEALWIRE_ENGINES ?? join(homedir(), '.cache/sealwire-engines'),
  'bin/versitygw-1.8.0',
);
const STAND_IN = 'localhost/sealwire-stand-in:1';
const PACKAGES = 'openssl,redis-server,nginx-light';
/** A base of Debian packages, an installation and a build, on a machine that has other work. */
const PATIENCE_MS = 20 * 60_000;

/** Status and output of `compose.sh ARGS`, which runs beside this process: what it connects to may be served here. */
async function compose(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn('bash', [script, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, output };
}

async function succeeds(args: readonly string[], env?: Record<string, string>): Promise<string> {
  const { status, output } = await compose(args, env);
  if (status !== 0) throw new Error(`compose.sh ${args[0]}: ${status}\n${output.slice(-4_000)}`);
  return output;
}

/** Beside its door stands another one, which asks for passwords. */
function hasDatabase(): boolean {
  const { stdout } = spawnSync('bash', [database, 'status'], { encoding: 'utf8' });
  return /postgres up.*gateway up/.test(stdout) && process.env.MONGODB_URI!.includes(`:${MONGO_PORT}`);
}

function reason(): string | undefined {
  if (!process.env.MONGODB_URI) return 'without MONGODB_URI';
  if (!hasDatabase()) return 'MONGODB_URI is not what infra/engines/documentdb.sh started';
  if (!existsSync(VERSITYGW)) return 'infra/engines/s3.sh up has not been run';
  return spawnSync('bash', [script, 'has']).status === 0
    ? undefined
    : 'compose.sh tools has not been run, or not by root';
}

const missing = reason();

(missing ? describe.skip : describe)(`docker compose up${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('Dockerfile and compose file have nothing that their linters find', async () => {
    for (const folder of [join(root, 'infra/docker'), root]) await succeeds(['lint', folder]);
  }, 60_000);

  it(
    'from the sources to the first message, over the loss of a relay and a second start',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'sealwire-compose-'));
      chmodSync(folder, 0o755);
      for (const name of ['forward.mjs', 'stand-in-user.mjs']) copyFileSync(join(engines, name), join(folder, name));
      copyFileSync(VERSITYGW, join(folder, 'versitygw'));
      renderNginx(folder, {
        LISTEN: '8443 ssl',
        SERVER_NAME: '_',
        TLS: '/run/sealwire/tls',
        HEALTH: '127.0.0.1:8080',
        API: 'server api:8080 max_fails=0;',
        DIRECTORY: 'server directory:8080 max_fails=0;',
        RELAY: 'server relay-1:8080 max_fails=0; server relay-2:8080 max_fails=0;',
        FILES: 's3:7070',
        BUCKET: 'sealwire-files',
      });
      const guarded = String(await freePort());
      const beside = [
        spawn('bash', [database, 'guarded', guarded], { stdio: 'ignore' }),
        ...Object.entries({ open: MONGO_PORT, guarded }).map(([door, to]) =>
          spawn(process.execPath, [join(folder, 'forward.mjs'), join(folder, `${door}.sock`), to]),
        ),
      ];
      try {
        if ((await compose(['podman', 'image', 'exists', STAND_IN])).status !== 0)
          await succeeds(['base', STAND_IN, 'node', PACKAGES]);
        const build = ['build', 'localhost/sealwire/server:0.1.0', root, '-f', join(root, 'infra/docker/Dockerfile')];
        await succeeds([...build, '--build-arg', `NODE_IMAGE=${STAND_IN}`]);
        const port = await freePort();
        // A database of its own: it is dropped in the end.
        const settings = { STAND_INS: folder, DATABASE: `sealwire-test-compose-${port}`, PORT: String(port) };
        const output = await succeeds(['run', 'bash', join(engines, 'compose-talk.sh')], settings);
        const shown = output.split('\n').filter((line) => line.startsWith('shown: '));
        expect(shown).toContain('shown: the first message has arrived');
        expect(shown.at(-1)).toBe('shown: after a restart a message has arrived');
      } finally {
        for (const child of beside) child.kill('SIGTERM');
        rmSync(folder, { recursive: true, force: true });
      }
    },
    PATIENCE_MS,
  );
});
