/** What every operation of a Lime works with: the injected parts, and the records. */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import type { Records } from './records/records.ts';
import type { LimeSettings } from './settings.ts';

export interface LimeContext {
  readonly crypto: CryptoProvider;
  readonly records: Records;
  readonly random: RandomBytes;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly settings: LimeSettings;
}
