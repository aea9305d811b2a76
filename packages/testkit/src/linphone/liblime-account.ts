/** A genuine liblime device as Linphone sets one up: user, password, key server. Its HTTP, with Digest, is libcurl's. */
import { join } from 'node:path';
import type { CurveName } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import { base64, fromBase64, type LimePeer } from '../../../../interop/lime-peer/lime-peer.mjs';

export interface AccountSettings {
  readonly device: DeviceId;
  readonly curve: CurveName;
  /** Of the LIME endpoint. */
  readonly server: string;
  readonly user: string;
  readonly password: string;
}

export interface LimeLetter {
  /** The addressee that the encryption is bound to. */
  readonly user: string;
  readonly message: Uint8Array;
  readonly cipherMessage: Uint8Array;
}

export class LiblimeAccount {
  readonly device: DeviceId;
  readonly curve: CurveName;
  readonly #peer: LimePeer;
  readonly #settings: AccountSettings;

  /** `folder`: for its key store. */
  constructor(
    peer: LimePeer,
    private readonly folder: string,
    settings: AccountSettings,
  ) {
    this.#peer = peer;
    this.#settings = settings;
    this.device = settings.device;
    this.curve = settings.curve;
  }

  /** Rejects with liblime's words when the server refuses. */
  async register(): Promise<void> {
    const { device, curve, server, user, password } = this.#settings;
    await this.#must({ cmd: 'open', db: join(this.folder, `${device.replace(/\W/g, '-')}.sqlite`) });
    const auth = { scheme: 'digest', user, password };
    await this.#must({ cmd: 'create_user', device, curve, server, auth, opk_batch: 5 });
  }

  async identityKey(): Promise<Uint8Array> {
    return fromBase64((await this.#must({ cmd: 'get_self_ik', device: this.device })).ik_b64);
  }

  /** The messages by device, and what they share. Linphone always uses the seed form, policy `cipherMessage`. */
  async encrypt(
    devices: readonly DeviceId[],
    user: string,
    plaintext: Uint8Array,
    policy: 'cipherMessage' | 'DRMessage' = 'cipherMessage',
  ) {
    const answer = await this.#must({
      cmd: 'encrypt',
      from: this.device,
      to: devices,
      recipient_user: user,
      plaintext_b64: base64(plaintext),
      policy,
    });
    const recipients = answer.recipients as readonly { device: DeviceId; dr_message_b64: string }[];
    const parts = recipients.map((each) => ({ device: each.device, content: fromBase64(each.dr_message_b64) }));
    return { parts, cipherMessage: fromBase64(answer.cipher_message_b64) };
  }

  /** Rejects when liblime refuses it. */
  async decrypt(from: DeviceId, { user, message, cipherMessage }: LimeLetter): Promise<Uint8Array> {
    const { status, plaintext_b64 } = await this.#must({
      cmd: 'decrypt',
      device: this.device,
      from,
      recipient_user: user,
      dr_message_b64: base64(message),
      cipher_message_b64: base64(cipherMessage),
    });
    if (status === 'fail') throw new Error(`${this.device} cannot decrypt a message of ${from}`);
    return fromBase64(plaintext_b64);
  }

  #must(command: Record<string, unknown>) {
    return this.#peer.must({ client: this.device, ...command });
  }
}
