/**
 * The authority of a deployment, where the application names one (docs/spec/verification.md section 8): accounts of our own domain are
 * written to only when a certificate says that they were admitted with the account key that is known here. The account key signs the
 * list of devices, so that a certificate is one for all of them.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { type AccountCertificate, verifyAccountCertificate } from '@sealwire/wire/account-certificate';
import { type AccountAddress, domainOf, nameOf } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import { ClientError } from '../errors.ts';
import type { PeerRecord } from './peer-record.ts';

/** By so much the clock of this device and that of the authority may differ. */
const SKEW_MS = 5 * 60_000;

/**
 * `other`: of another authority, another account or another account key, or changed. `missing`, too, before the directory was asked with
 * an account's list.
 */
export type CertificateState = 'certified' | 'missing' | 'early' | 'expired' | 'other';

export interface CertificateInfo {
  readonly state: CertificateState;
  /** ms since 1970; what the authority has signed for this account key alone. */
  readonly notAfter?: number;
}

const REASONS: Readonly<Record<Exclude<CertificateState, 'certified'>, string>> = {
  missing: 'has no certificate of this deployment',
  early: 'has a certificate that is not valid yet',
  expired: 'has a certificate that has expired',
  other: 'has a certificate that is not for its key, or not of this deployment',
};

export interface DeviceAuthorityOptions {
  readonly crypto: CryptoProvider;
  readonly now: () => number;
  readonly own: AccountAddress;
  /** Ed25519. */
  readonly publicKey: Uint8Array;
}

export class DeviceAuthority {
  readonly #options: DeviceAuthorityOptions;

  /** Throws `bad-request` for what is no public key. */
  constructor(options: DeviceAuthorityOptions) {
    this.#options = options;
    if (!options.crypto.ed25519.isValidPublicKey(options.publicKey))
      throw new ClientError('bad-request', 'the key of a device authority is an Ed25519 public key of 32 bytes');
  }

  /** By the clock of now; undefined: an account of another domain, which is not this authority's. */
  certificateOf(peer: PeerRecord): CertificateInfo | undefined {
    const { crypto, now, own, publicKey } = this.#options;
    if (domainOf(peer.address) !== domainOf(own)) return undefined;
    if (!peer.certificate) return { state: 'missing' };
    let certificate: AccountCertificate;
    try {
      certificate = verifyAccountCertificate(crypto, publicKey, peer.certificate);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return { state: 'other' };
    }
    const { address, accountKey, notBefore, notAfter } = certificate;
    if (address !== peer.address || !crypto.equal(accountKey, peer.accountKey)) return { state: 'other' };
    const time = now();
    if (time < notBefore - SKEW_MS) return { state: 'early', notAfter };
    return { state: time > notAfter + SKEW_MS ? 'expired' : 'certified', notAfter };
  }

  /** As `refuseUncertified`, once the directory was asked again: a certificate may have been made since. */
  async requireCertified(peer: PeerRecord, refresh: () => Promise<PeerRecord>): Promise<void> {
    if ((this.certificateOf(peer)?.state ?? 'certified') === 'certified' || peer.address === this.#options.own) return;
    this.refuseUncertified(await refresh().catch(() => peer));
  }

  /** Throws `uncertified-account` when `peer` is of our domain and not certified. Our own account is ours, whatever is said of it. */
  refuseUncertified(peer: PeerRecord): void {
    if (peer.address === this.#options.own) return;
    const { state } = this.certificateOf(peer) ?? { state: 'certified' };
    if (state === 'certified') return;
    const text = `${nameOf(peer.address)} ${REASONS[state]}: nothing is sent; ask the operator to certify the account`;
    throw new ClientError('uncertified-account', text);
  }
}
