/** One of our devices: packages/lime over the HTTP of the key directory. */
import { nodeCrypto } from '@sealwire/crypto/node';
import type { CurveName } from '@sealwire/crypto/port';
import { systemRandom } from '@sealwire/crypto/random';
import { LimeError } from '@sealwire/lime/errors';
import { Lime, type PeerBundle } from '@sealwire/lime/lime';
import { MemoryLimeStore } from '@sealwire/lime/testing/memory-store';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import { LIME_ERRORS, type LimeAnswer, type LimeRequest, type LimeRequestKind } from '@sealwire/wire/lime-server';
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

const DAY = 24 * 60 * 60 * 1000;
const crypto = nodeCrypto();

export class OwnDevice implements Correspondent {
  readonly kind = 'ours';
  readonly user: string;
  #lime: Lime;
  #store = new MemoryLimeStore();
  #now = Date.UTC(2026, 0, 1);

  private constructor(
    private directory: KeyDirectory,
    readonly device: DeviceId,
    readonly curve: CurveName,
    private readonly oneTimePrekeys: number,
  ) {
    this.user = accountOf(device);
    this.#lime = this.#open();
  }

  static async register(
    directory: KeyDirectory,
    device: DeviceId,
    curve: CurveName,
    oneTimePrekeys: number,
  ): Promise<OwnDevice> {
    const own = new OwnDevice(directory, device, curve, oneTimePrekeys);
    const registration = own.#lime.createDevice(device, curve);
    await directory.list(device, [registration]);
    await own.#acknowledged({ kind: 'registerUser', ...registration });
    own.#lime.activateDevice(device);
    return own;
  }

  async identityKey(): Promise<Uint8Array> {
    return this.#lime.publishedKeys(this.device).identityKey;
  }

  async write(
    to: readonly Addressee[],
    content: string,
    { policy, user = to[0]!.user }: WriteOptions = {},
  ): Promise<Letter[]> {
    const recipients = to.map(({ device }) => device);
    const missing = this.#lime.devicesWithoutSession(this.device, recipients);
    const sealed = this.#lime.encrypt(this.device, {
      recipientUser: user,
      recipients,
      plaintext: bytesOf(content),
      bundles: missing.length > 0 ? await this.#bundles(missing) : [],
      ...(policy && { policy }),
    });
    const { cipherMessage } = sealed;
    return sealed.recipients.flatMap(({ device, message }) =>
      message ? [{ from: this.device, to: device, user, message, cipherMessage }] : [],
    );
  }

  async read({ from, user, message, cipherMessage }: Letter): Promise<Reading> {
    try {
      const input = { sender: from, recipientUser: user, message, cipherMessage };
      return { content: contentOf(this.#lime.decrypt(this.device, input)) };
    } catch (error) {
      if (error instanceof LimeError) return { refused: error.code };
      throw error;
    }
  }

  async knows(peer: Addressee, identityKey: Uint8Array): Promise<boolean> {
    const known = this.#lime.peerIdentityKey(peer.device);
    return known !== undefined && crypto.equal(known, identityKey);
  }

  async forget(peer: Addressee): Promise<void> {
    this.#lime.deletePeer(peer.device);
  }

  async staleSessions(peer: Addressee): Promise<void> {
    this.#lime.retireSession(this.device, peer.device);
  }

  async update(): Promise<LimeRequestKind[]> {
    const { device, curve } = this;
    const answer = await this.directory.ask(device, { kind: 'getSelfOneTimePrekeys', suite: curve });
    const { registerAgain, oneTimePrekeys, signedPrekey } = this.#lime.update(device, heldIn(answer));
    const posts: LimeRequest[] = [];
    if (registerAgain) posts.push({ kind: 'registerUser', ...registerAgain });
    if (oneTimePrekeys.length > 0) posts.push({ kind: 'postOneTimePrekeys', suite: curve, oneTimePrekeys });
    if (signedPrekey) posts.push({ kind: 'postSignedPrekey', suite: curve, signedPrekey });
    for (const post of posts) await this.#acknowledged(post);
    return ['getSelfOneTimePrekeys', ...posts.map(({ kind }) => kind)];
  }

  async advance(days: number): Promise<void> {
    this.#now += days * DAY;
  }

  /** Other array identities too: nothing decoded survives. */
  async restart(): Promise<void> {
    this.#store = new MemoryLimeStore(
      this.#store.keys('').map((key) => [key, this.#store.load(key)!.slice()] as const),
    );
    this.#lime = this.#open();
  }

  async moveTo(directory: KeyDirectory): Promise<void> {
    const { device, curve } = this;
    await directory.list(device, [{ suite: curve, identityKey: await this.identityKey() }]);
    this.directory = directory;
  }

  async #bundles(devices: readonly DeviceId[]): Promise<readonly PeerBundle[]> {
    const answer = await this.directory.ask(this.device, { kind: 'getPeerBundle', suite: this.curve, devices });
    if (answer.kind !== 'peerBundle') throw new Error(JSON.stringify(answer));
    return answer.peers as readonly PeerBundle[];
  }

  async #acknowledged(request: LimeRequest): Promise<void> {
    const answer = await this.directory.ask(this.device, request);
    if (answer.kind !== 'ack') throw new Error(`${request.kind}: ${JSON.stringify(answer)}`);
  }

  #open(): Lime {
    const settings = {
      oneTimePrekeysAtRegistration: this.oneTimePrekeys,
      oneTimePrekeysLow: SUPPLY.low,
      oneTimePrekeysBatch: SUPPLY.batch,
    };
    return new Lime({ crypto, store: this.#store, random: systemRandom, now: () => this.#now, settings });
  }
}

function heldIn(answer: LimeAnswer): readonly number[] | 'unknown-device' {
  if (answer.kind === 'selfOneTimePrekeys') return answer.ids;
  if (answer.kind === 'error' && answer.code === LIME_ERRORS.userNotFound) return 'unknown-device';
  throw new Error(JSON.stringify(answer));
}
