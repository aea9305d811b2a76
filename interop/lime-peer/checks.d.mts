import type { LimePeer } from './lime-peer.mjs';

/** A key server, and how a device gets in. */
export interface Site {
  readonly peer: LimePeer;
  /** For key stores. */
  readonly folder: string;
  /** Of the LIME endpoint. */
  readonly url: string;
  /** Of the device ids. */
  readonly domain: string;
  /** `alice.d1.RUN` instead of a GRUU. */
  readonly bareIds?: boolean;
  /** In the device ids: two runs do not meet. */
  readonly run: string;
  /** The server's limit for one device; 0: not checked. */
  readonly oneTimePrekeyLimit: number;
  /** Whether the server knows a device's identity key from elsewhere: then not even a device that it lost comes back with another one. */
  readonly knowsIdentities: boolean;
  /** Carries out a `create_user`, with credentials added. Rejects as `LimePeer.must` does. */
  register(command: Record<string, unknown>): Promise<unknown>;
}

export interface Check {
  readonly title: string;
  run(): Promise<void>;
}

/** In their order: later ones use the devices of earlier ones. */
export function checksOf(curve: 'c25519' | 'c448', site: Site): Check[];
