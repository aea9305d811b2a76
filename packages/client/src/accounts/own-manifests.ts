/**
 * The versions of our own account's manifest that this device knows (docs/spec/client.md section 4): a server that was restored from a
 * backup has lost the newest of them, and gets them back from here (docs/adr/0028). Table `own`, by version. The newest version is in
 * the account's own record (peer-record.ts), and each older one is believed because its hash is in the one after it.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { ManifestHistoryAnswer } from '@sealwire/wire/http';
import { LIMITS } from '@sealwire/wire/limits';
import { decodeManifest, manifestHash } from '@sealwire/wire/manifest';
import { WireError } from '@sealwire/wire/wire-error';
import type { HttpCalls } from '../connection/http-calls.ts';
import { ClientError } from '../errors.ts';
import type { Ledger } from '../storage/ledger.ts';
import { numberOf, orderedKey } from '../storage/ordered-key.ts';
import { administratorSeed } from './administrator.ts';
import { manifestBody, manifestPathOf, signBytes } from './manifest-draft.ts';
import type { OfferedManifest, PeerRecord } from './peer-record.ts';
import type { SelfRecord } from './self-record.ts';

/** Of a list that changes a few times a year. */
const KEPT_VERSIONS = 256;

export interface OwnManifestsOptions {
  readonly self: SelfRecord;
  readonly ledger: Ledger;
  readonly http: HttpCalls;
  readonly crypto: CryptoProvider;
}

export class OwnManifests {
  readonly #options: OwnManifestsOptions;
  readonly #path: string;

  constructor(options: OwnManifestsOptions) {
    this.#options = options;
    this.#path = manifestPathOf(options.self);
  }

  /** The bytes of `version`, `own` being our account as it is known; undefined when this device does not have them. */
  bytesOf(version: number, own: PeerRecord): Uint8Array | undefined {
    return version === own.manifest.version ? own.bytes : this.#options.ledger.get(orderedKey('own', version));
  }

  /** Asks for the versions below the newest that are not here yet; what does not lead to it is not kept. Throws what a request throws. */
  async complete(own: PeerRecord): Promise<void> {
    const { ledger, crypto } = this.#options;
    const { version: newest } = own.manifest;
    const oldest = Math.max(1, newest - KEPT_VERSIONS);
    let missing = oldest;
    while (missing < newest && this.bytesOf(missing, own)) missing++;
    const offered = await this.#history(missing, newest);
    const found = new Map<number, Uint8Array>();
    let { previous } = own.manifest;
    for (let version = newest - 1; version >= missing; version--) {
      const bytes = this.bytesOf(version, own) ?? offered.get(version);
      if (!bytes || !crypto.equal(manifestHash(crypto, bytes), previous)) break;
      found.set(version, bytes);
      previous = decodeManifest(bytes).previous;
    }
    if (found.size === 0) return;
    await ledger.commit((transaction) => {
      for (const [version, bytes] of found) transaction.set(orderedKey('own', version), bytes);
      for (const key of transaction.keys('own/')) if (numberOf(key) < oldest) transaction.delete(key);
    });
  }

  /**
   * Publishes what follows `shown`, the newest version that the directory has, up to ours. Another device may be doing the same: then it
   * ends early. Throws `manifest-fork` when `shown` is not ours, `manifest-rollback` when this device does not have all that is missing,
   * `not-administrator` when it may not publish, and what a request throws.
   */
  async publishAgain(own: PeerRecord, shown: OfferedManifest & { readonly version: number }): Promise<void> {
    const { self, http, crypto } = this.#options;
    const seed = administratorSeed(self);
    const lost = [];
    let previous = shown.bytes;
    for (let version = shown.version + 1; version <= own.manifest.version; version++) {
      const bytes = this.bytesOf(version, own);
      if (!bytes) throw notHere(version);
      if (!crypto.equal(decodeManifest(bytes).previous, manifestHash(crypto, previous))) throw forked();
      lost.push(bytes);
      previous = bytes;
    }
    for (const bytes of lost) {
      try {
        const body = manifestBody(signBytes(crypto, seed, bytes));
        await http.bytes({ method: 'PUT', path: this.#path, body });
      } catch (error) {
        if (error instanceof ClientError && error.code === 'conflict') return;
        throw error;
      }
    }
  }

  /** Versions from `first` on and below `end`, as the directory shows them. */
  async #history(first: number, end: number): Promise<ReadonlyMap<number, Uint8Array>> {
    const offered = new Map<number, Uint8Array>();
    let after = first - 1;
    while (after < end - 1 && offered.size <= KEPT_VERSIONS) {
      const call = {
        method: 'GET',
        path: `${this.#path}/history?after=${after}`,
        answerBytes: LIMITS.manifestPageBytes.value,
      } as const;
      const { manifests, next } = await this.#options.http.json(call, ManifestHistoryAnswer);
      for (const { manifest } of manifests) offered.set(versionOf(manifest), manifest);
      // A page that leads nowhere must not be asked for again and again.
      if (next === undefined || next <= after) break;
      after = next;
    }
    return offered;
  }
}

/** 0 for what is none. */
function versionOf(bytes: Uint8Array): number {
  try {
    return decodeManifest(bytes).version;
  } catch (error) {
    if (error instanceof WireError) return 0;
    throw error;
  }
}

function notHere(version: number): ClientError {
  return new ClientError(
    'manifest-rollback',
    `the server has lost version ${version} of our list of devices, and this device does not have it: connect another device of the account`,
  );
}

function forked(): ClientError {
  return new ClientError(
    'manifest-fork',
    'the server shows a list of our devices that contradicts the one known here: make this device anew in an empty folder',
  );
}
