/** What faults are done to: a cluster, one embedded server, or somebody's deployment, of which nothing is ours to harm. */
import type { Engines } from './engines.ts';
import type { Link } from './link.ts';
import type { ServerProcess } from './server-process.ts';
import type { Steering } from './steering.ts';

export interface RelayNode {
  readonly process: ServerProcess;
  /** Its links to Redis and to the database; an embedded server has none. */
  readonly toBus?: Link;
  readonly toStore?: Link;
}

/** By the commands that an operator has for it (docs/operations/backup.md). */
export interface Backups {
  /** While the servers run; verified. */
  make(): Promise<void>;
  /** kill -9 of every server; what `make` made last is where they will look for their store. */
  putBack(): Promise<void>;
  /** Every server. */
  start(): Promise<void>;
}

/** A place with servers and a Redis of its own; the database is everybody's. */
export interface Region {
  readonly name: string;
  readonly servers: readonly ServerProcess[];
  readonly redis: { kill(): Promise<void>; start(): Promise<void> };
  readonly toStore: Link;
  /** To the Redis of the other region. */
  readonly toOther: Link;
  /** Where its people connect. */
  readonly port: number;
}

export interface Deployment {
  /** Where clients reach it. */
  readonly origin: string;
  /** On this machine, and made by this drill. */
  readonly isOurs: boolean;
  readonly relays: readonly RelayNode[];
  readonly directories: readonly ServerProcess[];
  readonly apis: readonly ServerProcess[];
  readonly engines?: Engines;
  /** Not there: one place. */
  readonly regions?: readonly Region[];
  /** Leads the people of a region to the other one, and back. */
  readonly steering?: Steering;
  /** Those that are made unless others are named; not there: all that are possible. */
  readonly faults?: readonly string[];
  /** Replaces a server as a cluster replaces a pod (`pods.ts`); not there: the deployment has no front of its own. */
  replacePod?(server: ServerProcess): Promise<void>;
  /** Not there: there is nothing that could be put back. */
  readonly backups?: Backups;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** No limits: a drill tests promises, not limits. */
export const UNLIMITED = {
  GATE: 'open',
  ACCOUNTS_PER_ADDRESS: '0',
  LOGINS_PER_ADDRESS: '0',
  LOGINS_PER_DEVICE: '0',
  BUNDLES_PER_PAIR: '0',
  BUNDLES_PER_TARGET: '0',
  BUNDLES_PER_REQUESTER: '0',
  KEY_UPLOADS_PER_DEVICE: '0',
  MANIFEST_READS_PER_ADDRESS: '0',
  MANIFEST_WRITES_PER_ADDRESS: '0',
  MESSAGES_PER_PAIR: '0',
  MESSAGES_PER_RECIPIENT: '0',
  BYTES_PER_SENDER: '0',
  CONNECTIONS_PER_ADDRESS: '0',
} as const;

export const CLOCK_STEP_MS = 5 * 60_000;
