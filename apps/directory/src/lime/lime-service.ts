/** What each message of the LIME key server does (lime-protocol section 4.2). Knows no HTTP. */
import type { CryptoProvider, LimeSuite, SuiteName } from '@sealwire/crypto/port';
import type { Metrics } from '@sealwire/service/metrics';
import { type PrekeyBundle, type Store, StoreError } from '@sealwire/store/port';
import { type DeviceId, parseDeviceId } from '@sealwire/wire/ids';
import {
  LIME_ERRORS,
  LIME_SUITES,
  type LimeAnswer,
  type LimeErrorName,
  type LimeOneTimePrekey,
  type LimePeer,
  type LimeRequest,
  type LimeSignedPrekey,
} from '@sealwire/wire/lime-server';
import { LIMITS } from '@sealwire/wire/limits';
import { WireError } from '@sealwire/wire/wire-error';
import type { BundleBudget } from './bundle-budget.ts';
import type { Roster } from './roster.ts';
import type { LimeSender } from './sender.ts';

export interface LimeServiceDeps {
  readonly store: Store;
  readonly crypto: CryptoProvider;
  readonly metrics: Metrics;
  readonly roster: Roster;
  readonly budget: BundleBudget;
}

/** A refusal that travels as an `ff` message in a 200. */
class Refusal extends Error {
  constructor(
    readonly error: LimeErrorName,
    text: string,
  ) {
    super(text);
  }
}

export class LimeService {
  constructor(private readonly deps: LimeServiceDeps) {}

  /**
   * Answers `request` of `sender`. Throws a 429 `Problem` beyond a budget; every other refusal is an answer.
   * Failures of the store come out as they are: they are no protocol answer but a 503.
   */
  async answer(sender: LimeSender, request: LimeRequest): Promise<LimeAnswer> {
    try {
      return await this.dispatch(sender.device, request);
    } catch (error) {
      const refusal = error instanceof StoreError ? refusalOf(error) : error;
      if (!(refusal instanceof Refusal)) throw error;
      const curveId = LIME_SUITES[request.curve].id;
      return { kind: 'error', curveId, code: LIME_ERRORS[refusal.error], text: refusal.message };
    }
  }

  private async dispatch(sender: DeviceId, request: LimeRequest): Promise<LimeAnswer> {
    const { prekeys } = this.deps.store;
    const { curve } = request;
    const ack: LimeAnswer = { kind: 'ack', curve, request: request.kind };
    switch (request.kind) {
      case 'registerUser':
        await this.register(sender, request);
        return ack;
      case 'postSignedPrekey':
        await this.replaceSignedPrekey(sender, curve, request.signedPrekey);
        return ack;
      case 'postOneTimePrekeys':
        this.deps.budget.demandUpload(sender);
        checkOneTime(this.deps.crypto.suites[curve], request.oneTimePrekeys);
        await prekeys.addOneTime(sender, curve, request.oneTimePrekeys, LIMITS.prekeysPerDevice.value);
        return ack;
      case 'getSelfOneTimePrekeys':
        return { kind: 'selfOneTimePrekeys', curve, ids: await prekeys.listOneTime(sender, curve) };
      case 'deleteUser':
        await prekeys.delete(sender, curve);
        return ack;
      case 'getPeerBundle':
        return { kind: 'peerBundle', curve, peers: await this.bundles(sender, curve, request.devices) };
      case 'registerIdentity':
        throw new Refusal('badRequest', 'this message ended with liblime 4.3: register with message 09');
    }
  }

  /** All is checked before anything is stored: one bad bundle would make whole group encryptions of others fail. */
  private async register(sender: DeviceId, request: LimeRequest & { kind: 'registerUser' }): Promise<void> {
    const { curve, identityKey, signedPrekey, oneTimePrekeys } = request;
    this.deps.budget.demandUpload(sender);
    if (!(await this.deps.roster.hasIdentity(sender, curve, identityKey)))
      throw new Refusal('badRequest', 'the manifest of this device names another identity key on this curve');
    this.checkSignedPrekey(curve, identityKey, signedPrekey);
    checkOneTime(this.deps.crypto.suites[curve], oneTimePrekeys);
    try {
      await this.deps.store.prekeys.register(sender, curve, { identityKey, signedPrekey }, oneTimePrekeys);
    } catch (error) {
      if (error instanceof StoreError && error.kind === 'conflict')
        throw new Refusal('userAlreadyIn', 'registered before with other keys');
      throw error;
    }
  }

  private async replaceSignedPrekey(sender: DeviceId, curve: SuiteName, signedPrekey: LimeSignedPrekey): Promise<void> {
    const { store, budget } = this.deps;
    budget.demandUpload(sender);
    const [registered] = await store.prekeys.claim(curve, [{ device: sender, takeOneTime: false }]);
    if (!registered) throw new Refusal('userNotFound', 'not registered on this curve');
    this.checkSignedPrekey(curve, registered.identityKey, signedPrekey);
    await store.prekeys.replaceSignedPrekey(sender, curve, signedPrekey);
  }

  private checkSignedPrekey(
    curve: SuiteName,
    identityKey: Uint8Array,
    { publicKey, signature }: LimeSignedPrekey,
  ): void {
    const suite = this.deps.crypto.suites[curve];
    if (!suite.isValidPrekey(publicKey)) throw new Refusal('badRequest', 'the signed prekey is not a good key');
    if (!suite.signatures.verify(identityKey, publicKey, signature))
      throw new Refusal('badRequest', 'the signature of the signed prekey is wrong');
  }

  /** One entry a requested id, in order, repeats included: liblime asks again for ever for a device that an answer leaves out. */
  private async bundles(sender: DeviceId, curve: SuiteName, requested: readonly string[]): Promise<LimePeer[]> {
    const { store, budget, metrics } = this.deps;
    budget.demand(sender, requested.length);
    const targets = requested.map(deviceOrNothing);
    const entries: { device: DeviceId; takeOneTime: boolean }[] = [];
    for (const device of targets)
      if (device) entries.push({ device, takeOneTime: budget.mayTakeOneTime(sender, device) });
    const claimed = entries.length ? await store.prekeys.claim(curve, entries) : [];

    let next = 0;
    return requested.map((device, i) => {
      if (!targets[i]) {
        metrics.directoryClaims.inc({ result: 'none' });
        return { device };
      }
      const { takeOneTime } = entries[next]!;
      const bundle = claimed[next++];
      this.count(bundle, takeOneTime);
      return { device, bundle };
    });
  }

  private count(bundle: PrekeyBundle | undefined, takeOneTime: boolean): void {
    const { directoryClaims, prekeysLow } = this.deps.metrics;
    if (!bundle) directoryClaims.inc({ result: 'none' });
    else if (bundle.oneTimePrekey) directoryClaims.inc({ result: 'one-time' });
    else if (!takeOneTime) directoryClaims.inc({ result: 'withheld' });
    else {
      directoryClaims.inc({ result: 'without' });
      prekeysLow.inc();
    }
  }
}

/** liblime knows no form of ids: what is none of ours has no bundle. */
function deviceOrNothing(text: string): DeviceId | undefined {
  try {
    return parseDeviceId(text);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function checkOneTime(suite: LimeSuite, keys: readonly LimeOneTimePrekey[]): void {
  if (keys.some(({ publicKey }) => !suite.isValidPrekey(publicKey)))
    throw new Refusal('badRequest', 'a one-time prekey is not a good key');
}

function refusalOf(error: StoreError): Refusal | undefined {
  if (error.kind === 'not-found') return new Refusal('userNotFound', 'not registered on this curve');
  if (error.kind === 'limit')
    return new Refusal('limitReached', `more than ${LIMITS.prekeysPerDevice.value} one-time prekeys`);
  if (error.kind === 'conflict') return new Refusal('badRequest', 'a key id that is held with another key');
  return undefined;
}
