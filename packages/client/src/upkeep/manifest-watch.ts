/**
 * Keeps our own account's list of devices current while connected (docs/spec/client.md section 4): looks at it on each connection, and
 * when the relay hints at a newer version. Whatever a hint says, only the directory's verified answer counts.
 */
import type { RandomBytes } from '@sealwire/crypto/port';
import type { AccountAddress } from '@sealwire/wire/ids';
import type { OwnDevices } from '../accounts/own-devices.ts';
import type { OwnManifests } from '../accounts/own-manifests.ts';
import type { PeerBook } from '../accounts/peer-book.ts';
import { backOff } from '../connection/back-off.ts';
import { asClientError } from '../errors.ts';
import type { Timers } from '../runtime.ts';

export interface ManifestWatchOptions {
  readonly address: AccountAddress;
  readonly book: Pick<PeerBook, 'refresh'>;
  readonly manifests: Pick<OwnManifests, 'complete'>;
  readonly devices: Pick<OwnDevices, 'look'>;
  readonly timers: Timers;
  readonly random: RandomBytes;
  readonly trace: (name: string, details: Record<string, string | number>) => void;
}

export class ManifestWatch {
  readonly #options: ManifestWatchOptions;
  #running: Promise<void> = Promise.resolve();
  /** One look waits for the one that is under way: any number of hints ask for no more. */
  #isWaiting = false;
  #online = false;
  #failures = 0;
  /** The version of the last look. The book may be ahead of it: what this device publishes is there at once, and nobody was told of it. */
  #seen = 0;
  #cancel: (() => void) | undefined;

  constructor(options: ManifestWatchOptions) {
    this.#options = options;
  }

  /** Online. */
  start(): void {
    this.#online = true;
    this.#failures = 0;
    this.#look();
  }

  /** The relay says that there is this version. */
  hint(version: number): void {
    if (version > this.#seen) this.#look();
  }

  stop(): void {
    this.#online = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Resolves when nothing is under way. */
  async done(): Promise<void> {
    await this.#running;
  }

  #look(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#running = this.#running.then(async () => {
      this.#isWaiting = false;
      if (this.#online) await this.#ask();
    });
  }

  async #ask(): Promise<void> {
    const { address, book, manifests, devices, timers, random, trace } = this.#options;
    try {
      const own = await book.refresh(address);
      await devices.look(own);
      await manifests.complete(own);
      this.#failures = 0;
      this.#seen = own.manifest.version;
      trace('own-manifest', { version: own.manifest.version });
    } catch (error) {
      const { code, retryable, retryAfterMs } = asClientError(error, 'engine-failed');
      trace('own-manifest-failed', { code });
      // What another device has to put right is heard of by a hint.
      if (!retryable || code === 'manifest-rollback' || !this.#online) return;
      this.#cancel = timers.after(backOff(this.#failures++, random, retryAfterMs), () => this.#look());
    }
  }
}
