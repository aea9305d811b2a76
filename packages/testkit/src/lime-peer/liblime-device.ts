/** A genuine liblime device: a client of its own in the peer process, with its own key store and its own HTTP to the directory. */
import { join } from 'node:path';
import type { CurveName } from '@sealwire/crypto/port';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { LimeRequestKind } from '@sealwire/wire/lime-server';
import { base64, fromBase64, type LimePeer } from '../../../../interop/lime-peer/lime-peer.mjs';
import {
  type Addressee,
  bytesOf,
  type Correspondent,
  contentOf,
  type Letter,
  type Reading,
  SUPPLY,
  type WriteOptions,
} from './correspondent.ts';
import type { KeyDirectory } from './key-directory.ts';

/** Where a request says what it is (lime-protocol section 3.2). */
const KINDS: Record<string, LimeRequestKind> = {
  '03': 'postSignedPrekey',
  '04': 'postOneTimePrekeys',
  '05': 'getPeerBundle',
  '07': 'getSelfOneTimePrekeys',
  '09': 'registerUser',
};
/** What liblime says of a message that it cannot read, and of a recipient that it cannot serve. */
const FAILED = 'fail';

interface Recipient {
  readonly device: DeviceId;
  readonly status: string;
  readonly dr_message_b64: string;
}

export class LiblimeDevice implements Correspondent {
  readonly kind = 'liblime';
  readonly user: string;

  private constructor(
    private readonly peer: LimePeer,
    private readonly client: string,
    readonly device: DeviceId,
    readonly curve: CurveName,
  ) {
    this.user = accountOf(device);
  }

  /**
   * Its first request is made by us (see `World`), for the directory has to know the identity key that is in it; all later ones by liblime's
   * own HTTP client, with a token. `folder`: for its key store. `client`: unique in the process.
   */
  static async register(
    peer: LimePeer,
    directory: KeyDirectory,
    options: {
      readonly folder: string;
      readonly client: string;
      readonly device: DeviceId;
      readonly curve: CurveName;
      readonly oneTimePrekeys: number;
    },
  ): Promise<LiblimeDevice> {
    const { folder, client, device, curve, oneTimePrekeys } = options;
    await peer.must({ cmd: 'open', client, db: join(folder, `${client}.sqlite`) });
    const made = new LiblimeDevice(peer, client, device, curve);
    const server = directory.url;
    await made.#must({ cmd: 'create_user', device, server, curve, opk_batch: oneTimePrekeys, http: 'delegate' });
    await made.#useHttp(directory);
    return made;
  }

  async identityKey(): Promise<Uint8Array> {
    return fromBase64((await this.#must({ cmd: 'get_self_ik', device: this.device })).ik_b64);
  }

  async write(
    to: readonly Addressee[],
    content: string,
    { policy, user = to[0]!.user }: WriteOptions = {},
  ): Promise<Letter[]> {
    const answer = await this.#must({
      cmd: 'encrypt',
      from: this.device,
      to: to.map(({ device }) => device),
      recipient_user: user,
      plaintext_b64: base64(bytesOf(content)),
      ...(policy && { policy }),
    });
    const cipherMessage = fromBase64(answer.cipher_message_b64);
    return (answer.recipients as Recipient[])
      .filter(({ status }) => status !== FAILED)
      .map(({ device, dr_message_b64 }) => {
        return { from: this.device, to: device, user, message: fromBase64(dr_message_b64), cipherMessage };
      });
  }

  async read({ from, user, message, cipherMessage }: Letter): Promise<Reading> {
    const answer = await this.peer.call({
      cmd: 'decrypt',
      client: this.client,
      device: this.device,
      from,
      recipient_user: user,
      dr_message_b64: base64(message),
      cipher_message_b64: base64(cipherMessage),
    });
    if (!answer.ok) return { refused: answer.error ?? '' };
    return answer.status === FAILED ? { refused: FAILED } : { content: contentOf(fromBase64(answer.plaintext_b64)) };
  }

  /** It compares a key only when told to trust it, and refuses another one than it knows. */
  async knows(peer: Addressee, identityKey: Uint8Array): Promise<boolean> {
    const { status } = await this.#must({ cmd: 'get_peer_status', device: peer.device });
    if (status === 'unknown') return false;
    const trust = { cmd: 'set_peer_status', client: this.client, device: peer.device, status: 'trusted' };
    return (await this.peer.call({ ...trust, ik_b64: base64(identityKey) })).ok === true;
  }

  async forget(peer: Addressee): Promise<void> {
    await this.#must({ cmd: 'delete_peer_device', device: peer.device });
  }

  async staleSessions(peer: Addressee): Promise<void> {
    await this.#must({ cmd: 'stale_sessions', device: this.device, peer: peer.device });
  }

  async update(): Promise<LimeRequestKind[]> {
    const supply = { opk_low_limit: SUPPLY.low, opk_batch: SUPPLY.batch };
    const { http } = await this.#must({ cmd: 'update', device: this.device, force: true, trace: true, ...supply });
    return (http as { request_hex: string }[]).map(({ request_hex }) => KINDS[request_hex.slice(2, 4)]!);
  }

  async advance(days: number): Promise<void> {
    await this.#must({ cmd: 'advance_time', days });
  }

  async restart(): Promise<void> {
    await this.#must({ cmd: 'reload' });
  }

  async moveTo(directory: KeyDirectory): Promise<void> {
    await directory.list(this.device, [{ suite: this.curve, identityKey: await this.identityKey() }]);
    await this.#must({ cmd: 'set_server_url', device: this.device, server: directory.url });
    await this.#useHttp(directory);
  }

  async #useHttp(directory: KeyDirectory): Promise<void> {
    await this.#must({
      cmd: 'set_http',
      device: this.device,
      http: 'curl',
      bearer: await directory.token(this.device),
    });
  }

  #must(command: Record<string, unknown>) {
    return this.peer.must({ client: this.client, ...command });
  }
}
