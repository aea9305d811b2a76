/**
 * The door through which keys come in: everything is checked before anything is stored, because one bad bundle makes a LIME client's
 * whole group encryption fail (lime-protocol section 4.2; cases D07, D08, D10, D11).
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { type Device, KeyTakenError, type PrekeyBundle, type Store, StoreError } from '@sealwire/store/port';
import { isEnforcedDeviceId } from '@sealwire/wire/ids';
import {
  keyFormOf,
  type LimeOneTimePrekey,
  type LimeRequest,
  type LimeSignedPrekey,
  type ServedSuite,
} from '@sealwire/wire/lime-server';
import type { BundleBudget } from './bundle-budget.ts';
import { Refusal } from './refusal.ts';
import type { LimeSender } from './sender.ts';

export interface KeyDoorDeps {
  readonly store: Pick<Store, 'devices' | 'prekeys' | 'waiting'>;
  readonly crypto: CryptoProvider;
  readonly budget: Pick<BundleBudget, 'demandUpload'>;
  readonly now: () => number;
  /** One-time keys that a device may have here. */
  readonly prekeysPerDevice: number;
  /** Listed and waiting ones together. */
  readonly devicesPerAccount: number;
}

type Registration = Extract<LimeRequest, { kind: 'registerUser' }>;

export class KeyDoor {
  constructor(private readonly deps: KeyDoorDeps) {}

  /**
   * A listed device registers the identity key that its manifest names; any other device of the account, or anybody in open mode, becomes
   * a waiting one. Throws `Refusal`, a 429 `Problem`, or the store's failure.
   */
  async register(sender: LimeSender, request: Registration): Promise<void> {
    const { store, budget } = this.deps;
    const { suite, identityKey, signedPrekey, oneTimePrekeys } = request;
    await budget.demandUpload(sender);
    const listed = await store.devices.find(sender.device);
    if (listed && !this.isNamed(listed, suite, identityKey))
      throw new Refusal('badRequest', 'the manifest of this device names another identity key on this suite');
    if (!listed) await this.checkName(sender);
    // A token is of a device that was listed a moment ago.
    if (!listed && sender.vouchedBy === 'device') throw new Refusal('userNotFound', 'the device has been removed');
    if (!keyFormOf(this.deps.crypto, suite).signatures.isValidPublicKey(identityKey))
      throw new Refusal('badRequest', 'the identity key is not a good key');
    this.checkSignedPrekey(suite, identityKey, signedPrekey);
    this.checkOneTime(suite, oneTimePrekeys);
    try {
      await this.store(listed !== undefined, sender, suite, { identityKey, signedPrekey }, oneTimePrekeys);
    } catch (error) {
      if (error instanceof StoreError && error.kind === 'conflict' && !(error instanceof KeyTakenError))
        throw new Refusal('userAlreadyIn', 'registered before with other keys, or removed');
      throw error;
    }
  }

  async replaceSignedPrekey(sender: LimeSender, suite: ServedSuite, signedPrekey: LimeSignedPrekey): Promise<void> {
    const { store, budget } = this.deps;
    await budget.demandUpload(sender);
    const [registered] = await store.prekeys.find(suite, [sender.device]);
    if (!registered) throw new Refusal('userNotFound', 'not registered on this suite');
    this.checkSignedPrekey(suite, registered.identityKey, signedPrekey);
    await store.prekeys.replaceSignedPrekey(sender.device, suite, signedPrekey);
  }

  async addOneTime(sender: LimeSender, suite: ServedSuite, keys: readonly LimeOneTimePrekey[]): Promise<void> {
    const { store, budget, prekeysPerDevice, now } = this.deps;
    await budget.demandUpload(sender);
    this.checkOneTime(suite, keys);
    await store.prekeys.addOneTime(sender.device, suite, keys, { maximum: prekeysPerDevice, now: now() });
  }

  private store(
    listed: boolean,
    { device, vouchedBy }: LimeSender,
    suite: ServedSuite,
    bundle: Omit<PrekeyBundle, 'oneTimePrekey'>,
    oneTime: readonly LimeOneTimePrekey[],
  ): Promise<unknown> {
    const { store, now, devicesPerAccount } = this.deps;
    if (listed) return store.prekeys.register(device, suite, bundle, oneTime);
    const terms = { maximum: devicesPerAccount, now: now(), withoutAccount: vouchedBy === 'nobody' };
    return store.waiting.register(device, suite, bundle, oneTime, terms);
  }

  /** Of a device that is new here. One that waits already keeps its name, and what it registered under it. */
  private async checkName({ device }: LimeSender): Promise<void> {
    if (isEnforcedDeviceId(device) || (await this.deps.store.waiting.find(device))) return;
    throw new Refusal('badRequest', 'the device id is not in its PRECIS form (RFC 8265), or its gr not ASCII');
  }

  private checkSignedPrekey(
    suite: ServedSuite,
    identityKey: Uint8Array,
    { publicKey, signature }: LimeSignedPrekey,
  ): void {
    const form = keyFormOf(this.deps.crypto, suite);
    if (!form.isValidPrekey(publicKey)) throw new Refusal('badRequest', 'the signed prekey is not a good key');
    if (!form.signatures.verify(identityKey, publicKey, signature))
      throw new Refusal('badRequest', 'the signature of the signed prekey is wrong');
  }

  private checkOneTime(suite: ServedSuite, keys: readonly LimeOneTimePrekey[]): void {
    const form = keyFormOf(this.deps.crypto, suite);
    if (keys.some(({ publicKey }) => !form.isValidPrekey(publicKey)))
      throw new Refusal('badRequest', 'a one-time prekey is not a good key');
  }

  /** Whether the device's manifest names this identity key on this suite (cases D10, S10). */
  private isNamed({ identities }: Device, suite: ServedSuite, identityKey: Uint8Array): boolean {
    const named = identities.find((identity) => identity.suite === suite);
    return named !== undefined && this.deps.crypto.equal(named.identityKey, identityKey);
  }
}
