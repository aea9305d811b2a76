/** What a comparison needs of a server, ours or a peer: to be started, and to take people who write and read. */
import type { ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Scene } from '../traffic/activity.ts';
import type { Member } from '../traffic/member.ts';
import type { TalkMember } from '../traffic/talk.ts';

/** What is not installed here, with the line that brings it. */
export class Absent extends Error {
  override readonly name = 'Absent';
}

/** What a figure is worth: who is told of what, and when. */
export interface Guarantee {
  /** When a message is accepted, for its writer. */
  readonly accepted: string;
  /** Accepted: it survives a crash of the machine. */
  readonly isDurable: boolean;
  /** Readers acknowledge, and what they have not acknowledged is kept for them. */
  readonly isKept: boolean;
  /** Who may connect. */
  readonly isAuthenticated: boolean;
}

export interface Starting {
  /** Empty, for what the server keeps. */
  readonly folder: string;
  /** A program of ours as a process of its own. */
  startProgram(name: ProgramName, argv: readonly string[]): ChildProcess;
  /** A program of this machine, on the cores that servers have. */
  startOther(path: string, argv: readonly string[]): ChildProcess;
}

export type ProgramName = 'solo' | 'peer-server' | 'load';

export interface Target {
  readonly name: string;
  readonly promise: Guarantee;
  /** Rejects with `Absent`, and with a `LoadError`. */
  start(starting: Starting): Promise<Running>;
}

/** One conversation: its first member writes, the others read. */
export interface Conversation {
  readonly topic: string;
  /** How many people conversations before this one have. */
  readonly first: number;
  readonly members: number;
  /** `ORIGIN_BYTES`. */
  readonly origin: Uint8Array;
  /** Behind the header of a message. */
  readonly filling: Uint8Array;
}

export interface Running {
  readonly version: string;
  /** Of its processes; what they start counts, too. None: they are not known. */
  readonly pids: readonly number[];
  /** So many people, and devices that only stay, are there. */
  provide(people: number, idle: number): Promise<void>;
  membersOf(conversation: Conversation, scene: Scene): TalkMember[];
  /** All of a shape at once. */
  connect(members: readonly Member[], scene: Scene): Promise<void>;
  /** `count` more connections that stay until `stop`. */
  idle(count: number, scene: Scene): Promise<void>;
  /** Ends what was started; closes what is idle. */
  stop(): Promise<void>;
}

/** What `load` imports. Rejects with `Absent`, which says how to get it. */
export async function orAbsent<Module>(load: () => Promise<Module>, bring: string): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new Absent(`not installed: ${bring}`, { cause });
  }
}

/** Of an npm package that was loaded. */
export function versionOf(name: string): string {
  const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { version: string };
  return version;
}
