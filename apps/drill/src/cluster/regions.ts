/**
 * Two regions: each with an api, a directory, a relay, a Redis and an nginx of its own, on one database. The way between them takes its
 * time and can be cut; people of a region come by a way of their own, which is led to the other region while their own cannot serve.
 * The database is one server, whose members' majority is modelled by who reaches it: a region that does not is one without a majority.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { encodeBase64url } from '@sealwire/wire/base64url';
import type { ClusterTerms } from './cluster.ts';
import { type Deployment, type Region, UNLIMITED } from './deployment.ts';
import { Engines } from './engines.ts';
import { Front } from './front.ts';
import { Link } from './link.ts';
import { freePorts } from './ports.ts';
import { type ServerName, ServerProcess } from './server-process.ts';
import { Steering } from './steering.ts';

const KEY_BYTES = 32;
const NAMES = ['east', 'west'] as const;
const SERVERS = ['api', 'directory', 'relay'] as const satisfies readonly ServerName[];
const PORTS_EACH = 2 + SERVERS.length;

export interface RegionsTerms extends ClusterTerms {
  /** There and back between the regions; the database is in the first one. */
  readonly delayMs: number;
}

/** Where what of a region listens. */
interface Place {
  readonly name: string;
  readonly redis: number;
  readonly front: number;
  readonly servers: readonly number[];
  readonly way: Link;
}

export async function planRegions({ folder, enginesFolder, random, delayMs }: RegionsTerms): Promise<Deployment> {
  const [mongo, postgres, ...ports] = (await freePorts(2 + NAMES.length * PORTS_EACH)) as [number, number, ...number[]];
  const places: Place[] = [];
  for (const name of NAMES) {
    const [redis, front, ...servers] = ports.splice(0, PORTS_EACH) as [number, number, ...number[]];
    places.push({ name, redis, front, servers, way: await Link.to(front) });
  }
  const engines = places.map(
    ({ name, redis }, i) =>
      new Engines(i === 0 ? enginesFolder : join(enginesFolder, name), { mongo, postgres, redis }),
  );
  const origin = `http://127.0.0.1:${places[0]!.way.port}`;
  const shared = {
    ...UNLIMITED,
    DOMAIN: 'localhost',
    PUBLIC_ORIGIN: origin,
    TRUSTED_PROXIES: '127.0.0.1',
    TOKEN_KEY: encodeBase64url(random(KEY_BYTES)),
    APP_PASSWORD_KEY: encodeBase64url(random(KEY_BYTES)),
    LOG_LEVEL: 'info',
  };
  const regions: Region[] = [];
  for (const [i, place] of places.entries()) {
    const { name } = place;
    const other = places.find((each) => each !== place)!;
    const toOther = await Link.to(other.redis, delayMs / 2);
    const toStore = await Link.to(mongo, i === 0 ? 0 : delayMs / 2);
    const environment = {
      ...shared,
      // Directly: the server names its own port as the replica set's only member, and that is not the link's.
      STORE_URL: `mongodb://127.0.0.1:${toStore.port}/drill?directConnection=true`,
      BUS_URL: `redis://127.0.0.1:${place.redis}`,
      BUS_PEERS: `${other.name}=redis://127.0.0.1:${toOther.port}`,
      TOKEN_JWKS_URL: `http://127.0.0.1:${place.front}/v1/.well-known/jwks.json`,
      NODE_ID: `relay-${name}`,
    };
    regions.push({
      name,
      servers: SERVERS.map((server, at) => {
        const port = place.servers[at]!;
        const title = `${server}-${name}`;
        const own = { ...environment, LISTEN: `127.0.0.1:${port}` };
        return new ServerProcess({ name: title, server, port, environment: own, log: join(folder, `${title}.log`) });
      }),
      redis: { kill: () => engines[i]!.killRedis(), start: () => engines[i]!.emptyRedis() },
      toStore,
      toOther,
      port: place.way.port,
    });
  }
  const fronts = places.map(() => new Front());
  const steering = new Steering(
    places.map(({ name, servers, way, front }) => ({ name, servers: () => servers, way, front })),
  );
  return {
    origin,
    isOurs: true,
    relays: [],
    directories: [],
    apis: [],
    regions,
    steering,
    faults: ['cut-between', 'silence-between', 'cut-from-store', 'cut-region', 'kill-region', 'take-out'],
    async start() {
      await engines[0]!.up();
      await engines[1]!.emptyRedis();
      for (const [i, { name, front, servers }] of places.entries()) {
        const [api, directory, relay] = servers as [number, number, number];
        const own = join(folder, name);
        mkdirSync(own, { recursive: true, mode: 0o700 });
        await fronts[i]!.start({ folder: own, port: front, api: [api], directory: [directory], relay: [relay] });
      }
      await Promise.all(regions.flatMap(({ servers }) => servers.map((server) => server.start())));
      steering.start();
    },
    async stop() {
      await steering.stop();
      await Promise.all(regions.flatMap(({ servers }) => servers.map((server) => server.kill())));
      for (const front of fronts) await front.stop();
      for (const { toStore, toOther } of regions) await Promise.all([toStore.close(), toOther.close()]);
      for (const { way } of places) await way.close();
      await engines[1]!.stopRedis();
      await engines[0]!.down();
    },
  };
}
