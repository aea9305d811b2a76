/** The program's path, or why there is none. */
export type FoundPeer = { readonly path: string } | { readonly missing: string };

/** The program where it was built before, or with `LIME_PEER=1`, which builds it. */
export function findPeer(): FoundPeer;

export type PeerAnswer = { readonly ok: boolean; readonly error?: string } & Record<string, unknown>;

/** A request that a device's liblime hands to us instead of sending it; a rejection is no answer. */
export type HttpByCaller = (from: string, body: Uint8Array) => Uint8Array | Promise<Uint8Array>;

export interface PeerOptions {
  readonly args?: readonly string[];
  readonly http?: HttpByCaller;
}

/** A running lime_peer: many liblime clients, each with a key store of its own. */
export class LimePeer {
  constructor(program: string, options?: PeerOptions);
  /** Commands are answered one by one, in their order. */
  call(command: Record<string, unknown>): Promise<PeerAnswer>;
  /** Rejects with liblime's words when the answer is not ok. */
  must(command: Record<string, unknown>): Promise<PeerAnswer>;
  /** Asks it to end, and ends it if it does not. */
  quit(): Promise<void>;
}

export function base64(bytes: Uint8Array): string;
export function fromBase64(text: unknown): Uint8Array;
