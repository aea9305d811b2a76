/** All that a command takes from outside. `main.ts` fills it from the process; nothing else reads the environment, a clock or randomness. */

import type { Readable, Writable } from 'node:stream';
import type { ClientRuntime } from '@sealwire/client/runtime';
import type { PassphraseCost } from './key-store.ts';

export type Terminal = Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };

export interface Surroundings {
  /** Without the program and the script. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly osUser: string;
  readonly stdin: Terminal;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** Crypto, randomness, time and network for the SDK, and for ourselves. */
  readonly runtime: ClientRuntime;
  /** Fires at the first Ctrl-C or SIGTERM, and when nobody reads our output any more. */
  readonly interrupted: AbortSignal;
  readonly version: string;
  /** What a new passphrase costs to try; absent: what it should. Each command of a test pays it, too. */
  readonly passphraseCost?: PassphraseCost;
}
