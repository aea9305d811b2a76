/** What clients do to servers. */
import type { Fault } from './fault.ts';

const SLOW_MS = 15_000;
/** 6 MB to each, far beyond what a socket may have queued. */
const FLOOD_MESSAGES = 300;
const FLOOD_BYTES = 20_000;

export const SLOW_CONSUMERS: Fault = {
  name: 'slow-consumers',
  about: 'people stop reading their sockets for 15 s while large messages come for them',
  holdMs: SLOW_MS,
  possible: ({ isOurs }) => isOurs,
  async strike({ slowLink, society }) {
    slowLink?.silence();
    await society.flood(society.slow, FLOOD_MESSAGES, FLOOD_BYTES);
  },
  lift: async ({ slowLink }) => slowLink?.mend(),
};

/** No server needs to be ours for them: also against somebody's deployment. */
export const HARMLESS_FAULTS: readonly Fault[] = [
  {
    name: 'cut-clients',
    about: 'the sockets of all people break at one moment, without a word',
    holdMs: 0,
    possible: () => true,
    async strike({ society }) {
      for (const person of society.everybody) person.cut();
    },
    async lift() {},
  },
  {
    name: 'reconnect-storm',
    about: 'thousands of sockets are opened, broken at one moment, and come back',
    holdMs: 0,
    possible: () => true,
    async strike({ storm, record }) {
      try {
        const { sockets } = storm;
        const gathered = await storm.gather();
        const { back, ms } = gathered === sockets ? await storm.break() : { back: gathered, ms: 0 };
        record({ event: 'storm', sockets, back, ms: Math.round(ms) });
      } finally {
        storm.end();
      }
    },
    async lift() {},
  },
];
