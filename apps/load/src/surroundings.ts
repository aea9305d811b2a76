/** What the program is given by its process, or by a test. */
import type { ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';
import type { ClientRuntime } from '@sealwire/client/runtime';
import type { Across } from './agents/across.ts';
import type { ProgramName } from './peers/target.ts';
import type { Hand, Saying } from './running/share.ts';

export interface Surroundings {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly cores: number;
  readonly stdout: Writable;
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly runtime: ClientRuntime;
  /** ms since 1970, and never backwards. */
  readonly now: () => number;
  /** A worker in this process, in one of its own, or at an agent; `index`: its number in the run. */
  readonly openHand: (isForked: boolean, say: (saying: Saying) => void, index: number) => Hand;
  /** Of a controller. */
  readonly across?: Across | undefined;
  /** A program of this repository as a process of its own; it ends when its stdin does. */
  readonly startProgram: (name: ProgramName, argv: readonly string[]) => ChildProcess;
  readonly startOther: (path: string, argv: readonly string[]) => ChildProcess;
  readonly interrupted: AbortSignal;
  readonly version: string;
}
