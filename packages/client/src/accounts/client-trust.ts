/** Whom this device believes, and what its user decides when a key has changed (docs/spec/client.md section 4, docs/spec/verification.md). */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { ClientError } from '../errors.ts';
import type { PeerInfo, Trust } from '../events.ts';
import type { Services } from '../services.ts';
import { acceptReset } from './account-reset.ts';
import type { DeviceAuthority } from './device-authority.ts';
import { lowestTrust, type PeerRecord, trustIn } from './peer-record.ts';
import { ClientTrustPolicy } from './trust-policy.ts';

export interface ClientTrustOptions {
  readonly services: Services;
  /** Undefined: nobody is asked for a certificate. */
  readonly authority: DeviceAuthority | undefined;
  readonly addressOf: (to: string) => AccountAddress;
}

export class ClientTrust {
  /** Which devices are sent to: docs/spec/verification.md section 6. */
  readonly policy: ClientTrustPolicy;
  readonly #services: Services;
  readonly #authority: DeviceAuthority | undefined;
  readonly #addressOf: (to: string) => AccountAddress;

  constructor({ services, authority, addressOf }: ClientTrustOptions) {
    this.policy = new ClientTrustPolicy(services.ledger, addressOf);
    this.#services = services;
    this.#authority = authority;
    this.#addressOf = addressOf;
  }

  /** An account's devices and the trust in them, as its newest manifest has it. Throws as a send to it would. */
  async peer(address: string): Promise<PeerInfo> {
    return this.#infoOf(await this.#services.book.refresh(this.#addressOf(address)));
  }

  /** What this device knows of every account that it has met, its own included. Asks nobody. */
  peers(): PeerInfo[] {
    const { book } = this.#services;
    return book.all().map((peer) => this.#infoOf(peer));
  }

  /** The user's word on a device. `unsafe` stops sending to its account until another word is said. */
  set(device: DeviceId, trust: Trust): Promise<void> {
    return this.#services.book.setTrust(device, trust);
  }

  /** The user has found out why a device shows another key: its sessions and pinned keys are forgotten, it is `untrusted` again. */
  acceptIdentityChange(device: DeviceId): Promise<void> {
    return this.#services.book.setTrust(device, 'untrusted', (transaction) =>
      this.#services.engines.forgetDevice(device, transaction),
    );
  }

  /**
   * The user has asked the owner of an account whose `account-reset` event came, in another way, and it was a reset: the new key is believed,
   * its devices are `untrusted`, and messages go there again. `accountKey`: the one that was compared; default: the one that was shown. Throws
   * `forbidden` where none was shown, `account-key-changed` when the server shows yet another one.
   */
  async acceptReset(address: string, accountKey?: Uint8Array): Promise<PeerInfo> {
    return this.#infoOf(await acceptReset(this.#services, this.#addressOf(address), accountKey));
  }

  /** The user has found out why an account shows another account key: all that is known of it is forgotten, the next contact is a first one. */
  async forget(address: string): Promise<void> {
    const forgotten = this.#addressOf(address);
    if (forgotten === this.#services.self.address) throw new ClientError('forbidden', 'this is our own account');
    await this.#services.book.forget(forgotten);
  }

  /** Ed25519, by which the key directory signs its answers, pinned with the first of them; undefined: it has signed none. */
  directoryKey(): Uint8Array | undefined {
    return this.#services.signatures.pinned();
  }

  /** The user has found out why the directory signs with another key: that one is pinned. Throws `not-found`. */
  acceptDirectoryKey(): Promise<void> {
    return this.#services.signatures.accept();
  }

  #infoOf(peer: PeerRecord): PeerInfo {
    const { address, accountKey, manifest, verified = false, shown } = peer;
    const devices = manifest.devices.map(({ id, identities, loginKey }) => ({
      ...{ id, identities, trust: trustIn(peer, id) },
      ...(loginKey.length === 0 && { lime: true as const }),
    }));
    const certificate = this.#authority?.certificateOf(peer);
    return {
      address,
      accountKey,
      manifestVersion: manifest.version,
      devices,
      verified,
      trust: shown ? 'unsafe' : lowestTrust(peer),
      ...(shown && { shownKey: shown }),
      ...(certificate && { certified: certificate.state === 'certified' }),
    };
  }
}
