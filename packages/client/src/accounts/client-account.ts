/** This device's account as its owner sees it: its secrets, its passwords for other programs, its certificate, its end. */
import type { ClientRuntime } from '../runtime.ts';
import type { Services } from '../services.ts';
import { administratorSeed } from './administrator.ts';
import {
  type AppPasswordInfo,
  listAppPasswords,
  makeAppPassword,
  type NewAppPassword,
  revokeAppPassword,
} from './app-passwords.ts';
import type { CertificateInfo, DeviceAuthority } from './device-authority.ts';
import { deleteAccount, leaveAccount } from './own-account.ts';
import { isRecoveryKeyOf, recoveryKeyOf } from './recovery-key.ts';

export interface ClientAccountOptions {
  readonly services: Services;
  readonly runtime: ClientRuntime;
  /** Undefined: nobody is asked for a certificate. */
  readonly authority: DeviceAuthority | undefined;
}

export class ClientAccount {
  readonly #services: Services;
  readonly #runtime: ClientRuntime;
  readonly #authority: DeviceAuthority | undefined;

  constructor({ services, runtime, authority }: ClientAccountOptions) {
    this.#services = services;
    this.#runtime = runtime;
    this.#authority = authority;
  }

  /** 32 bytes that make any device one of this account's (`Client.join`): to be shown to nobody else. Throws `not-administrator`. */
  exportSecret(): Uint8Array {
    return administratorSeed(this.#services.self).slice();
  }

  /**
   * The account secret in fourteen groups of characters, to be printed: with it `Client.recover` brings a new device in when all are lost.
   * Whoever reads it is the account. Throws `not-administrator`.
   */
  recoveryKey(): string {
    return recoveryKeyOf(this.#runtime.crypto, this.#services.self);
  }

  /** Whether what somebody typed off the paper is this account's recovery key. Throws `not-administrator`, `bad-recovery-key`. */
  isRecoveryKey(typed: string): boolean {
    return isRecoveryKeyOf(this.#runtime.crypto, this.#services.self, typed);
  }

  /** Makes a password for a program that knows no tokens (docs/operations/linphone.md). `name` is the owner's own word for it. */
  makeAppPassword(name: string): Promise<NewAppPassword> {
    return makeAppPassword(this.#services, name);
  }

  appPasswords(): Promise<AppPasswordInfo[]> {
    return listAppPasswords(this.#services);
  }

  revokeAppPassword(id: string): Promise<void> {
    return revokeAppPassword(this.#services, id);
  }

  /**
   * What the device authority says of our own account, as the directory showed it last: time to ask for another one when it ends soon.
   * Undefined: none was named. Asks nobody (`ClientTrust.peer` of our own address does).
   */
  certificate(): CertificateInfo | undefined {
    const own = this.#services.book.find(this.#services.self.address);
    return own && this.#authority?.certificateOf(own);
  }

  /**
   * Takes this device out of its account. It is of no use after it. Throws `forbidden` when it is the only one: nobody could publish a
   * list without devices, and the account would be out of everybody's reach.
   */
  leave(): Promise<void> {
    return leaveAccount(this.#services, this.#runtime);
  }

  /** Deletes the account with all its devices. This client is of no use after it. */
  delete(): Promise<void> {
    return deleteAccount(this.#services);
  }
}
