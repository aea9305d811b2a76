/** Database, Redis, two apis, two directories, two relays and nginx, on the loopback; each relay behind links that can be cut. */
import { join } from 'node:path';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { CLOCK_STEP_MS, type Deployment, type RelayNode, UNLIMITED } from './deployment.ts';
import { Engines } from './engines.ts';
import { Front } from './front.ts';
import { Link } from './link.ts';
import { replacePod } from './pods.ts';
import { freePorts } from './ports.ts';
import { runCommand, type ServerName, ServerProcess } from './server-process.ts';

const KEY_BYTES = 32;

export interface ClusterTerms {
  /** Logs and configuration. */
  readonly folder: string;
  /** Of the database and Redis. */
  readonly enginesFolder: string;
  readonly random: (bytes: number) => Uint8Array;
}

export async function planCluster({ folder, enginesFolder, random }: ClusterTerms): Promise<Deployment> {
  const ports = await freePorts(10);
  const [mongo, postgres, redis, port] = ports.splice(0, 4) as [number, number, number, number];
  const engines = new Engines(enginesFolder, { mongo, postgres, redis });
  const origin = `http://127.0.0.1:${port}`;
  const busUrl = (at: number) => `redis://127.0.0.1:${at}`;
  // Directly: the server names its own port as the replica set's only member, and that is not the link's.
  let restores = 0;
  const storeUrl = (at: number) => `mongodb://127.0.0.1:${at}/drill${restores || ''}?directConnection=true`;
  const shared = {
    ...UNLIMITED,
    DOMAIN: 'localhost',
    PUBLIC_ORIGIN: origin,
    TOKEN_JWKS_URL: `http://127.0.0.1:${port}/v1/.well-known/jwks.json`,
    TRUSTED_PROXIES: '127.0.0.1',
    TOKEN_KEY: encodeBase64url(random(KEY_BYTES)),
    APP_PASSWORD_KEY: encodeBase64url(random(KEY_BYTES)),
    BLOBS_URL: `file:${join(folder, 'files')}`,
    LOG_LEVEL: 'info',
  };
  const serverOf = (server: ServerName, at: number, environment: Record<string, string>) => {
    const name = `${server}-${at}`;
    const own = { ...shared, LISTEN: `127.0.0.1:${at}`, ...environment };
    return new ServerProcess({ name, server, port: at, environment: own, log: join(folder, `${name}.log`) });
  };
  const urls = { STORE_URL: storeUrl(mongo), BUS_URL: busUrl(redis) };
  const apis = ports.slice(0, 2).map((at) => serverOf('api', at, urls));
  const directories = ports.slice(2, 4).map((at) => serverOf('directory', at, urls));
  const relays: RelayNode[] = [];
  for (const [i, at] of ports.slice(4, 6).entries()) {
    const toStore = await Link.to(mongo);
    const toBus = await Link.to(redis);
    // One clock goes ahead, the other behind.
    const step = String(i === 0 ? CLOCK_STEP_MS : -CLOCK_STEP_MS);
    const environment = {
      STORE_URL: storeUrl(toStore.port),
      BUS_URL: busUrl(toBus.port),
      NODE_ID: `relay-${i}`,
      CLOCK_STEP_MS: step,
    };
    relays.push({ process: serverOf('relay', at, environment), toBus, toStore });
  }
  const front = new Front();
  const portsOf = (servers: readonly ServerProcess[]) => servers.map((server) => server.port);
  const routes = () => ({
    api: portsOf(apis),
    directory: portsOf(directories),
    relay: portsOf(relays.map(({ process }) => process)),
  });
  const command = (...args: string[]) => {
    const environment = { STORE_URL: storeUrl(mongo), BLOBS_URL: shared.BLOBS_URL };
    return runCommand({ server: 'server', args, environment, log: join(folder, 'backups.log') });
  };
  const servers = () => [...apis, ...directories, ...relays.map(({ process }) => process)];
  const startServers = async () => {
    // Who does not get the keys of tokens at its first question waits half a minute before the next one.
    for (const some of [apis, [...directories, ...relays.map(({ process }) => process)]])
      await Promise.all(some.map((server) => server.start()));
  };
  const newest = () => join(folder, `backup-${restores}`);
  let pods = 0;
  return {
    origin,
    isOurs: true,
    relays,
    directories,
    apis,
    engines,
    replacePod(server) {
      pods += 1;
      // Names are free again when a node has been gone for a while; pods have random ones.
      const named = relays.some(({ process }) => process === server);
      return replacePod({ server, front, routes, ...(named ? { environment: { NODE_ID: `relay-pod-${pods}` } } : {}) });
    },
    backups: {
      async make() {
        await command('backup', newest());
        await command('verify', newest());
      },
      async putBack() {
        await Promise.all(servers().map((server) => server.kill()));
        const backup = newest();
        restores += 1;
        await command('restore', backup);
        for (const server of [...apis, ...directories]) server.setEnvironment({ STORE_URL: storeUrl(mongo) });
        for (const { process, toStore } of relays) process.setEnvironment({ STORE_URL: storeUrl(toStore!.port) });
      },
      start: startServers,
    },
    async start() {
      await engines.up();
      await front.start({ folder, port, ...routes() });
      await startServers();
    },
    async stop() {
      await Promise.all(servers().map((server) => server.kill()));
      await front.stop();
      for (const { toBus, toStore } of relays) await Promise.all([toBus?.close(), toStore?.close()]);
      await engines.down();
    },
  };
}
