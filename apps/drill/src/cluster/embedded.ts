/** One server with an embedded store, in a folder: what `npm start` runs. */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CLOCK_STEP_MS, type Deployment, UNLIMITED } from './deployment.ts';
import { freePorts } from './ports.ts';
import { runCommand, ServerProcess } from './server-process.ts';

export async function planEmbedded(folder: string): Promise<Deployment> {
  const [port] = (await freePorts(1)) as [number];
  const origin = `http://127.0.0.1:${port}`;
  const log = join(folder, 'server.log');
  // Of an earlier drill.
  const own = join(folder, 'drill-server');
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own, { mode: 0o700 });
  const data = join(own, 'data');
  const environment = {
    ...UNLIMITED,
    LISTEN: `127.0.0.1:${port}`,
    PUBLIC_ORIGIN: origin,
    DATA_DIR: data,
    CLOCK_STEP_MS: String(CLOCK_STEP_MS),
    LOG_LEVEL: 'info',
  };
  const server = new ServerProcess({ name: 'server', server: 'solo', port, environment, log });
  const command = (...args: string[]) => runCommand({ server: 'solo', args, environment: { DATA_DIR: data }, log });
  let made = 0;
  const newest = () => join(own, `backup-${made}`);
  return {
    origin,
    isOurs: true,
    relays: [{ process: server }],
    directories: [],
    apis: [],
    backups: {
      async make() {
        made += 1;
        await command('backup', newest());
      },
      async putBack() {
        await server.kill();
        renameSync(data, join(own, `lost-${made}`));
        await command('restore', newest());
      },
      start: () => server.start(),
    },
    start: () => server.start(),
    stop: () => server.kill(),
  };
}
