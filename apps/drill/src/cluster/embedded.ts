/** One server with an embedded store, in a folder: what `npm start` runs. */
import { join } from 'node:path';
import { CLOCK_STEP_MS, type Deployment, UNLIMITED } from './deployment.ts';
import { freePorts } from './ports.ts';
import { ServerProcess } from './server-process.ts';

export async function planEmbedded(folder: string): Promise<Deployment> {
  const [port] = (await freePorts(1)) as [number];
  const origin = `http://127.0.0.1:${port}`;
  const environment = {
    ...UNLIMITED,
    LISTEN: `127.0.0.1:${port}`,
    PUBLIC_ORIGIN: origin,
    DATA_DIR: join(folder, 'data'),
    CLOCK_STEP_MS: String(CLOCK_STEP_MS),
    LOG_LEVEL: 'info',
  };
  const server = new ServerProcess({
    name: 'server',
    server: 'solo',
    port,
    environment,
    log: join(folder, 'server.log'),
  });
  return {
    origin,
    isOurs: true,
    relays: [{ process: server }],
    directories: [],
    apis: [],
    start: () => server.start(),
    stop: () => server.kill(),
  };
}
