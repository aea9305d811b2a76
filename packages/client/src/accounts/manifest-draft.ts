/** New versions of our own manifest: made, signed by the account key, published (docs/spec/manifest.md). */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { nameOf } from '@sealwire/wire/ids';
import {
  encodeManifest,
  type Manifest,
  type ManifestDevice,
  manifestHash,
  manifestSigningInput,
} from '@sealwire/wire/manifest';
import type { HttpCalls } from '../connection/http-calls.ts';
import { ClientError } from '../errors.ts';
import { administratorSeed } from './administrator.ts';
import type { PeerBook } from './peer-book.ts';
import type { OfferedManifest, PeerRecord } from './peer-record.ts';
import type { SelfRecord } from './self-record.ts';

/** Two devices may change the list at once: one of them wins, the other tries again on top. */
const ATTEMPTS = 4;

export function signManifest(crypto: CryptoProvider, accountSeed: Uint8Array, manifest: Manifest): OfferedManifest {
  return signBytes(crypto, accountSeed, encodeManifest(manifest));
}

/** Ed25519 is deterministic: a manifest that was signed before gets the same signature again. */
export function signBytes(crypto: CryptoProvider, accountSeed: Uint8Array, bytes: Uint8Array): OfferedManifest {
  return { bytes, signature: crypto.ed25519.sign(accountSeed, manifestSigningInput(bytes)) };
}

/** Where our own account's manifests are, on its server. */
export function manifestPathOf({ paths, address }: Pick<SelfRecord, 'paths' | 'address'>): string {
  return `${paths.directory}/manifests/${encodeURIComponent(nameOf(address))}`;
}

/** As a JSON body (wire/http, SignedManifestBody). */
export function manifestBody({ bytes, signature }: OfferedManifest): object {
  return { manifest: encodeBase64url(bytes), signature: encodeBase64url(signature) };
}

export interface PublishOptions {
  readonly self: SelfRecord;
  readonly book: PeerBook;
  readonly http: HttpCalls;
  readonly crypto: CryptoProvider;
  readonly now: () => number;
}

/**
 * Publishes the next version with the devices that `change` makes of the newest ones; publishes nothing when `change` answers
 * undefined. Answers our account as the directory then confirms it. Throws `ClientError`: `not-administrator`, …
 */
export async function publishNext(
  { self, book, http, crypto, now }: PublishOptions,
  change: (devices: readonly ManifestDevice[]) => readonly ManifestDevice[] | undefined,
): Promise<PeerRecord> {
  for (let attempt = 1; ; attempt++) {
    const own = await book.refresh(self.address);
    const devices = change(own.manifest.devices);
    if (!devices) return own;
    const next = signManifest(crypto, administratorSeed(self), {
      address: self.address,
      version: own.manifest.version + 1,
      previous: manifestHash(crypto, own.bytes),
      // A clock that runs behind must not issue a version before the one it follows.
      issuedAt: Math.max(now(), own.manifest.issuedAt),
      devices,
    });
    try {
      await http.bytes({ method: 'PUT', path: manifestPathOf(self), body: manifestBody(next) });
      return await book.refresh(self.address);
    } catch (error) {
      const overtaken = error instanceof ClientError && error.code === 'conflict';
      if (!overtaken || attempt === ATTEMPTS) throw error;
    }
  }
}
