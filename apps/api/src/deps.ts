/** What the API is built from. The composition root (this app's main, or solo) makes all of it. */
import type { Tokens } from '@sealwire/access/tokens';
import type { Blobs } from '@sealwire/blobs/port';
import type { Counters } from '@sealwire/bus/counters';
import type { Bus } from '@sealwire/bus/port';
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import type { Mailer } from '@sealwire/mail/port';
import type { DiskWatch } from '@sealwire/service/disk-watch';
import type { Log } from '@sealwire/service/log';
import type { Metrics } from '@sealwire/service/metrics';
import type { Store } from '@sealwire/store/port';
import type { ApiSettings } from './settings.ts';

export interface ApiDeps {
  readonly store: Store;
  readonly bus: Bus;
  /** Undefined: no attachments. */
  readonly blobs?: Blobs | undefined;
  /** Where limiters count; in this process alone unless given. */
  readonly counters?: Counters | undefined;
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  /** ms since 1970 */
  readonly now: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly settings: ApiSettings;
  /** Ed25519 seed, 32 bytes; the challenge key is derived from it. */
  readonly tokenKey: Uint8Array;
  /** Of that key, where others of this process verify by them, too; undefined: the API makes its own. */
  readonly tokens?: Tokens | undefined;
  /** 32 bytes shared with the key directories; undefined: no app passwords. */
  readonly appPasswordKey?: Uint8Array | undefined;
  /** Ed25519, by which the key directory signs, for `/.well-known/sealwire`; undefined: it does not say. */
  readonly directoryKey?: Uint8Array | undefined;
  /** Undefined: no disk of this machine is filled. */
  readonly disks?: DiskWatch | undefined;
  /** For the gate `email`. */
  readonly mailer?: Mailer | undefined;
  /** For `/.well-known/sealwire`. */
  readonly version: string;
}
