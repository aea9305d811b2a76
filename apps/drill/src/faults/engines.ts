/** The database and Redis die, forget, or stand still; a relay's link to one of them breaks. */
import type { Deployment, RelayNode } from '../cluster/deployment.ts';
import type { Engines } from '../cluster/engines.ts';
import { type Fault, turnOf } from './fault.ts';

const DOWN_MS = 3_000;
const PAUSE_MS = 15_000;

function engine(
  name: string,
  about: string,
  holdMs: number,
  strike: (engines: Engines) => unknown,
  lift: (engines: Engines) => unknown,
): Fault {
  return {
    name,
    about,
    holdMs,
    possible: ({ engines }) => engines !== undefined,
    async strike({ deployment }) {
      await strike(deployment.engines!);
    },
    async lift({ deployment }) {
      await lift(deployment.engines!);
    },
  };
}

function link(
  name: string,
  about: string,
  of: (relay: RelayNode) => RelayNode['toBus'],
  how: 'cut' | 'silence',
): Fault {
  const linkOf = ({ relays }: Deployment, turn: number) => of(turnOf(relays, turn));
  return {
    name,
    about,
    holdMs: PAUSE_MS,
    possible: (deployment) => deployment.relays.some((relay) => of(relay) !== undefined),
    strike: async ({ deployment, turn }) => linkOf(deployment, turn)?.[how](),
    lift: async ({ deployment, turn }) => linkOf(deployment, turn)?.mend(),
  };
}

export const ENGINE_FAULTS: readonly Fault[] = [
  engine(
    'kill-redis',
    'kill -9 of Redis, which starts again empty',
    DOWN_MS,
    (engines) => engines.killRedis(),
    (engines) => engines.emptyRedis(),
  ),
  engine(
    'kill-subscribers',
    'CLIENT KILL TYPE pubsub: Redis stays, and every subscription is gone',
    0,
    (engines) => engines.killSubscribers(),
    () => {},
  ),
  engine(
    'kill-database',
    'kill -9 of the database’s server processes, which start again',
    DOWN_MS,
    (engines) => engines.killDatabase(),
    (engines) => engines.startDatabase(),
  ),
  engine(
    'kill-gateway',
    'kill -9 of what speaks MongoDB’s protocol: every connection breaks',
    DOWN_MS,
    (engines) => engines.killGateway(),
    (engines) => engines.startDatabase(),
  ),
  engine(
    'pause-database',
    'the database answers nothing for 15 s, and closes nothing',
    PAUSE_MS,
    (engines) => engines.pauseDatabase(),
    (engines) => engines.resumeDatabase(),
  ),
  link('cut-bus', 'a relay’s link to Redis alone is cut for 15 s', ({ toBus }) => toBus, 'cut'),
  link(
    'silence-bus',
    'a relay’s link to Redis alone carries nothing for 15 s, and stays open',
    ({ toBus }) => toBus,
    'silence',
  ),
  link('cut-store', 'a relay’s link to the database alone is cut for 15 s', ({ toStore }) => toStore, 'cut'),
  link(
    'silence-store',
    'a relay’s link to the database alone carries nothing for 15 s, and stays open',
    ({ toStore }) => toStore,
    'silence',
  ),
];
