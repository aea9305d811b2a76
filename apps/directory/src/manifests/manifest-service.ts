/** Account manifests: published by whoever holds the account key, read by anybody who knows the name. */
import type { CryptoProvider } from '@sealwire/crypto/port';
import type { Announcer } from '@sealwire/service/announce';
import { Problem } from '@sealwire/service/problem';
import {
  type Account,
  type Device,
  KeyTakenError,
  type Store,
  type StoredManifest,
  StoreError,
} from '@sealwire/store/port';
import { type AccountAddress, addressOf, isEnforcedDeviceId, parseAccountName } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { type Manifest, verifyManifest, verifySuccessor } from '@sealwire/wire/manifest';
import { WireError } from '@sealwire/wire/wire-error';
import type { AccountCertificates } from '../certificates/account-certificates.ts';
import type { ManifestLimiters } from './manifest-limiters.ts';

export interface ManifestServiceDeps {
  readonly store: Store;
  readonly crypto: CryptoProvider;
  readonly announcer: Announcer;
  readonly now: () => number;
  readonly domain: string;
  readonly limiters: Pick<ManifestLimiters, 'version'>;
  readonly devicesPerAccount: number;
  readonly certificates: AccountCertificates;
}

export interface SignedManifest {
  readonly manifest: Uint8Array;
  readonly signature: Uint8Array;
}

/** The newest manifest, and what else is handed out with it. */
export interface NewestManifest {
  readonly account: Account;
  readonly manifest: StoredManifest;
  /** Of the deployment's authority. */
  readonly certificate: Uint8Array | undefined;
}

export interface ManifestPage {
  readonly account: Account;
  readonly manifests: readonly StoredManifest[];
  /** `after` of the next page; undefined: nothing follows. */
  readonly next?: number;
}

export class ManifestService {
  constructor(private readonly deps: ManifestServiceDeps) {}

  /** The newest manifest. 404 for a name that is unknown, deleted or malformed. */
  async newest(name: string): Promise<NewestManifest> {
    const account = await this.account(name);
    const manifest = await this.deps.store.manifests.newest(account.address);
    if (!manifest) throw new Problem('not-found');
    return { account, manifest, certificate: this.deps.certificates.of(account.address) };
  }

  /** Versions above `after`, ascending, a page of them. */
  async history(name: string, after: number): Promise<ManifestPage> {
    const account = await this.account(name);
    const page = LIMITS.manifestPage.value;
    const found = await this.deps.store.manifests.history(account.address, after, page + 1);
    const manifests = found.slice(0, page);
    const last = manifests.at(-1);
    return { account, manifests, ...(found.length > page && last ? { next: last.version } : {}) };
  }

  /**
   * Publishes the next version. The account key's signature is all the authority that it needs; the newest version again is a no-op.
   * 422 `invalid-manifest`, or `limit-reached` when it adds devices beyond the account's quota, 409 `conflict` with the newest version when it is not the next one, 429 when there were too many.
   */
  async publish(name: string, signed: SignedManifest): Promise<NewestManifest> {
    const { store, crypto, announcer, now } = this.deps;
    const { account, manifest: newest, certificate } = await this.newest(name);
    const manifest = this.verify(account, signed);
    const stored = { version: manifest.version, bytes: signed.manifest, signature: signed.signature };
    if (crypto.equal(newest.bytes, signed.manifest)) return { account, manifest: newest, certificate };
    if (manifest.version !== newest.version + 1) throw conflict(newest.version);
    this.verifyChain(newest, manifest);
    await this.deps.limiters.version(account.address);
    const [before = []] = await store.devices.list([account.address]);
    await this.checkNames(before, manifest);
    this.checkQuota(before, manifest);
    try {
      await store.manifests.publish(account.address, stored, manifest.devices, now());
    } catch (error) {
      throw await this.publishProblem(account.address, newest.version, error);
    }
    const kept = new Set(manifest.devices.map(({ id }) => id));
    await announcer.devicesRemoved(before.map(({ id }) => id).filter((id) => !kept.has(id)));
    await announcer.manifestPublished(account.address, manifest.version, [...kept]);
    return { account, manifest: stored, certificate };
  }

  private async account(name: string): Promise<Account> {
    let address: AccountAddress;
    try {
      address = addressOf(parseAccountName(name), this.deps.domain);
    } catch (error) {
      if (error instanceof WireError) throw new Problem('not-found', {}, { cause: error });
      throw error;
    }
    const account = await this.deps.store.accounts.find(address);
    if (!account) throw new Problem('not-found');
    return account;
  }

  private verify(account: Account, { manifest: bytes, signature }: SignedManifest): Manifest {
    return invalidIfWireError(() => {
      const manifest = verifyManifest(this.deps.crypto, account.accountKey, bytes, signature);
      if (manifest.address !== account.address) throw new Problem('invalid-manifest', { detail: 'of another account' });
      return manifest;
    });
  }

  private verifyChain(newest: StoredManifest, manifest: Manifest): void {
    invalidIfWireError(() => verifySuccessor(this.deps.crypto, newest.bytes, manifest));
  }

  /** Of devices that are new here. Listed and waiting ones keep the id that they came with. */
  private async checkNames(before: readonly Device[], { devices }: Manifest): Promise<void> {
    const known = new Set(before.map(({ id }) => id));
    for (const { id } of devices) {
      if (isEnforcedDeviceId(id) || known.has(id) || (await this.deps.store.waiting.find(id))) continue;
      throw new Problem('invalid-manifest', {
        detail: 'a device id is not in its PRECIS form (RFC 8265), or not ASCII',
      });
    }
  }

  /** A list that does not grow is always taken: an operator who lowers the quota must not keep anybody from removing a device. */
  private checkQuota(before: readonly Device[], { devices }: Manifest): void {
    const most = this.deps.devicesPerAccount;
    if (devices.length > most && devices.length > before.length)
      throw new Problem('limit-reached', { detail: `an account has at most ${most} devices here` });
  }

  /** Somebody else published meanwhile, the account went, or a device id is not to be had: the store knows, atomically. */
  private async publishProblem(address: AccountAddress, expected: number, error: unknown): Promise<unknown> {
    if (!(error instanceof StoreError)) return error;
    if (error.kind === 'not-found') return new Problem('not-found', {}, { cause: error });
    if (error.kind !== 'conflict') return error;
    const newest = await this.deps.store.manifests.newest(address);
    if (newest && newest.version !== expected) return conflict(newest.version);
    const detail =
      error instanceof KeyTakenError
        ? 'a key that another account or device uses'
        : 'a device id that was used before, or keys other than those that the device has';
    return new Problem('conflict', { detail }, { cause: error });
  }
}

function conflict(newest: number): Problem {
  return new Problem('conflict', {
    detail: `the newest version is ${newest}: publish ${newest + 1}`,
    more: { newest },
  });
}

function invalidIfWireError<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof WireError) throw new Problem('invalid-manifest', { detail: error.message }, { cause: error });
    throw error;
  }
}
