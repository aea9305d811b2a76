/** What the key directory is built from. The composition root (this app's main, or solo) makes all of it. */

import type { TokenVerifier } from '@sealwire/access/tokens';
import type { Counters } from '@sealwire/bus/counters';
import type { Bus } from '@sealwire/bus/port';
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import type { Log } from '@sealwire/service/log';
import type { Metrics } from '@sealwire/service/metrics';
import type { Store } from '@sealwire/store/port';
import type { Authenticate } from './lime/authenticate.ts';
import type { NesProvider } from './nes/open-provider.ts';
import type { Repeat } from './open-mode.ts';
import type { DirectorySettings } from './settings.ts';

export interface DirectoryDeps {
  readonly store: Store;
  readonly bus: Bus;
  /** Where limiters count; in this process alone unless given. */
  readonly counters?: Counters | undefined;
  readonly crypto: CryptoProvider;
  /** ms since 1970 */
  readonly now: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly settings: DirectorySettings;
  readonly tokens: TokenVerifier;
  /** Of the dummies that unknown users are compared with; nonces too. */
  readonly random: RandomBytes;
  /** 32 bytes shared with the API and the other key directories; undefined: no app passwords, so no HTTP Digest. */
  readonly appPasswordKey?: Uint8Array | undefined;
  /** The public-keys provider of NES (`openNesProvider`); undefined: it is off. */
  readonly nes?: NesProvider | undefined;
  /** Ed25519, 32 bytes, shared with the other key directories; undefined: answers are not signed. */
  readonly signingKey?: Uint8Array | undefined;
  readonly version: string;
  /** Of the warnings in open mode; the platform's timers unless given. */
  readonly repeat?: Repeat;
  /** Who asks on `/lime`; Bearer and Digest unless given. Tests with foreign LIME clients bring another one. */
  readonly authenticate?: Authenticate;
}
