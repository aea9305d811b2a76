/** What the bench's two processes say to each other over Node's process channel. */
import type { Counted } from './calls.ts';
import type { Watched } from './loop-watch.ts';

/** `bare`: stores nothing. `logged`: the same with a log that is durable. `broadcast`: stores nothing, and one sends to all. */
export type ServerKind = 'ours' | 'bare' | 'logged' | 'broadcast';

export type Request =
  | { readonly ask: 'cpu' }
  /** What the relay has asked of its store and its bus so far; of the bare servers: nothing. */
  | { readonly ask: 'calls' }
  | { readonly ask: 'memory' }
  /** Watches the event loop and the collector from now on, until `watched`. */
  | { readonly ask: 'watch' }
  | { readonly ask: 'watched' }
  /** Makes `count` devices and their tokens, so many an account (1 unless said); of the bare servers: nothing. */
  | { readonly ask: 'devices'; readonly prefix: string; readonly count: number; readonly perAccount?: number }
  /** Puts `count` messages of `bytes` into the mailbox of a device. */
  | { readonly ask: 'fill'; readonly device: string; readonly count: number; readonly bytes: number }
  | { readonly ask: 'end' };

export interface Credentials {
  readonly device: string;
  readonly token: string;
}

export interface Reply {
  readonly cpuMicros?: number;
  readonly calls?: Counted | undefined;
  readonly rssBytes?: number;
  readonly watched?: Watched;
  readonly devices?: readonly Credentials[];
}
