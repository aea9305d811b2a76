/** What the calls of `client.ts` are told. */
import type { SuiteName } from '@sealwire/crypto/port';
import type { EngineFactory } from './engine.ts';
import type { ClientRuntime } from './runtime.ts';
import type { ClientStorage } from './storage.ts';

export interface OpenOptions {
  readonly storage: ClientStorage;
  readonly runtime: ClientRuntime;
  /** In the order in which they are offered outgoing messages. Default: LIME. */
  readonly engines?: readonly EngineFactory[];
  readonly signal?: AbortSignal;
}

export interface RegisterOptions extends OpenOptions {
  /** Origin, e.g. `http://localhost:8080`. */
  readonly server: string;
  readonly name: string;
  /** In order of preference. Default: both, Curve25519 first. */
  readonly curves?: readonly SuiteName[];
  /** For servers that ask for one. */
  readonly invitation?: string;
}

export interface JoinOptions extends OpenOptions {
  readonly server: string;
  readonly name: string;
  readonly curves?: readonly SuiteName[];
  /** From `exportAccountSecret` of a device of the account. */
  readonly accountSecret: Uint8Array;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}
