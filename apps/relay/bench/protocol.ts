/** What the bench's two processes say to each other over Node's process channel. */

export type ServerKind = 'ours' | 'bare';

export type Request =
  | { readonly ask: 'cpu' }
  | { readonly ask: 'memory' }
  /** Makes `count` devices and their tokens; of the bare server: nothing. */
  | { readonly ask: 'devices'; readonly prefix: string; readonly count: number }
  /** Puts `count` messages of `bytes` into the mailbox of a device. */
  | { readonly ask: 'fill'; readonly device: string; readonly count: number; readonly bytes: number }
  | { readonly ask: 'end' };

export interface Credentials {
  readonly device: string;
  readonly token: string;
}

export interface Reply {
  readonly cpuMicros?: number;
  readonly rssBytes?: number;
  readonly devices?: readonly Credentials[];
}
