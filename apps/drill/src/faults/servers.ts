/** Processes of ours that die, stand still, or go by a wrong clock. */
import type { Deployment } from '../cluster/deployment.ts';
import type { ServerProcess } from '../cluster/server-process.ts';
import { type Fault, turnOf } from './fault.ts';

const DOWN_MS = 3_000;
const STANDSTILL_MS = 20_000;
const WRONG_CLOCK_MS = 20_000;

const relaysOf = ({ relays }: Deployment) => relays.map(({ process }) => process);

function kill(name: string, about: string, serversOf: (deployment: Deployment) => readonly ServerProcess[]): Fault {
  return {
    name,
    about,
    holdMs: DOWN_MS,
    possible: (deployment) => serversOf(deployment).length > 0,
    strike: ({ deployment, turn }) => turnOf(serversOf(deployment), turn).kill(),
    lift: ({ deployment, turn }) => turnOf(serversOf(deployment), turn).start(),
  };
}

const clock: Fault = {
  name: 'wrong-clock',
  about:
    'a relay’s clock is five minutes off, in turn ahead (the first relay) and behind (the second); then all sockets break, and log in by it',
  holdMs: WRONG_CLOCK_MS,
  possible: ({ relays }) => relays.length > 0,
  async strike({ deployment, society, turn }) {
    turnOf(relaysOf(deployment), turn).stepClock();
    for (const person of society.everybody) person.cut();
  },
  lift: async ({ deployment, turn }) => turnOf(relaysOf(deployment), turn).stepClock(),
};

export const SERVER_FAULTS: readonly Fault[] = [
  kill('kill-relay', 'kill -9 of a relay, which is started again', relaysOf),
  kill('kill-directory', 'kill -9 of a key directory', ({ directories }) => directories),
  kill('kill-api', 'kill -9 of an API server', ({ apis }) => apis),
  {
    name: 'stop-relay',
    about: 'SIGSTOP of a relay for 20 s: it holds its sockets, and does nothing',
    holdMs: STANDSTILL_MS,
    possible: ({ relays }) => relays.length > 0,
    strike: async ({ deployment, turn }) => turnOf(relaysOf(deployment), turn).pause(),
    lift: async ({ deployment, turn }) => turnOf(relaysOf(deployment), turn).resume(),
  },
  clock,
  {
    name: 'rolling-restart',
    about: 'every server is stopped in order by SIGTERM and started again, one after the other',
    holdMs: 0,
    possible: ({ relays }) => relays.length > 0,
    async strike({ deployment }) {
      for (const server of [...deployment.apis, ...deployment.directories, ...relaysOf(deployment)]) {
        await server.stop();
        await server.start();
      }
    },
    async lift() {},
  },
  {
    name: 'rolling-update',
    about:
      'every server is replaced as a cluster replaces pods: the next one ready, the old one out of the front, SIGTERM',
    holdMs: 0,
    possible: ({ replacePod }) => replacePod !== undefined,
    async strike({ deployment }) {
      for (const server of [...deployment.apis, ...deployment.directories, ...relaysOf(deployment)])
        await deployment.replacePod?.(server);
    },
    async lift() {},
  },
];
