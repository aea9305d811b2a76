/** What happens to regions: the way between them breaks, one is without the database, one is lost, one is taken out and back. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Deployment, Region } from '../cluster/deployment.ts';
import { type Fault, type Scene, turnOf } from './fault.ts';

const CUT_MS = 20_000;
const AWAY_MS = 20_000;
const OUT_MS = 5_000;
const HOME_WITHIN_MS = 60_000;
const LOOK_MS = 100;

const possible = ({ regions }: Deployment) => regions !== undefined;
const nameOf = ({ regions }: Deployment, turn: number) => (regions ? turnOf(regions, turn).name : undefined);

/** Region by region, the second one first: the other has the database. */
function harmed({ deployment, turn }: Pick<Scene, 'deployment' | 'turn'>): Region {
  return turnOf(deployment.regions!, turn + 1);
}

/** Once its people are led there again, those who are elsewhere come home: their connections are broken, as a balancer's are in the end. */
async function bringHome({ deployment, society }: Scene, { name }: Region): Promise<void> {
  const { steering } = deployment;
  const deadline = performance.now() + HOME_WITHIN_MS;
  while (!steering!.isHome(name)) {
    if (performance.now() > deadline) throw new Error(`${name} is not ready again`);
    await pause(LOOK_MS);
  }
  for (const person of society.everybody) if (person.region === name) person.cut();
}

function between(name: string, about: string, how: 'cut' | 'silence'): Fault {
  return {
    name,
    about,
    holdMs: CUT_MS,
    possible,
    async strike({ deployment }) {
      for (const { toOther } of deployment.regions!) toOther[how]();
    },
    async lift({ deployment }) {
      for (const { toOther } of deployment.regions!) toOther.mend();
    },
  };
}

function cutOff(
  name: string,
  about: string,
  linksOf: (region: Region, all: readonly Region[]) => Region['toStore'][],
): Fault {
  const links = (scene: Scene) => linksOf(harmed(scene), scene.deployment.regions!);
  return {
    name,
    about,
    holdMs: AWAY_MS,
    possible,
    region: (deployment, turn) => nameOf(deployment, turn + 1),
    async strike(scene) {
      for (const link of links(scene)) link.cut();
    },
    async lift(scene) {
      for (const link of links(scene)) link.mend();
      await bringHome(scene, harmed(scene));
    },
  };
}

export const REGION_FAULTS: readonly Fault[] = [
  between('cut-between', 'the regions hear nothing of each other for 20 s; both reach the database', 'cut'),
  between('silence-between', 'the same, and nobody closes a connection', 'silence'),
  cutOff(
    'cut-from-store',
    'a region is without the database for 20 s, and its people are led to the other one',
    ({ toStore }) => [toStore],
  ),
  cutOff('cut-region', 'a region is without the database and the other region for 20 s', ({ toStore }, all) => [
    toStore,
    ...all.map(({ toOther }) => toOther),
  ]),
  {
    name: 'kill-region',
    about: 'kill -9 of all that is in a region, which starts again empty after 20 s',
    holdMs: AWAY_MS,
    possible,
    region: (deployment, turn) => nameOf(deployment, turn + 1),
    async strike(scene) {
      const { servers, redis } = harmed(scene);
      await Promise.all([...servers.map((server) => server.kill()), redis.kill()]);
    },
    async lift(scene) {
      const { servers, redis } = harmed(scene);
      await redis.start();
      await Promise.all(servers.map((server) => server.start()));
      await bringHome(scene, harmed(scene));
    },
  },
  {
    name: 'take-out',
    about:
      'a region is taken out as planned: its people are led away, its relay stops by SIGTERM, then its front, then the others; and back',
    holdMs: OUT_MS,
    possible,
    region: (deployment, turn) => nameOf(deployment, turn + 1),
    async strike(scene) {
      const { name, servers } = harmed(scene);
      const { steering } = scene.deployment;
      const [relay, ...others] = servers.toReversed();
      steering!.takeOut(name);
      await relay!.stop();
      // Else people go on asking here, over connections that they keep, when nobody is there to answer.
      steering!.close(name);
      for (const server of others) await server.stop();
    },
    async lift(scene) {
      const { name, servers } = harmed(scene);
      await Promise.all(servers.map((server) => server.start()));
      scene.deployment.steering!.putBack(name);
      await bringHome(scene, harmed(scene));
    },
  },
];
