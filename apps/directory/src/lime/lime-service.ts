/** What each message of the LIME key server does (lime-protocol section 4.2). Knows no HTTP. */
import type { Metrics } from '@sealwire/service/metrics';
import { type Store, StoreError } from '@sealwire/store/port';
import { LIME_ERRORS, LIME_SUITES, type LimeAnswer, type LimeRequest } from '@sealwire/wire/lime-server';
import type { Bundles } from './bundles.ts';
import type { KeyDoor } from './key-door.ts';
import { Refusal, refusalOf } from './refusal.ts';
import type { LimeSender } from './sender.ts';

export interface LimeServiceDeps {
  readonly store: Pick<Store, 'devices' | 'prekeys'>;
  readonly door: KeyDoor;
  readonly bundles: Bundles;
  readonly metrics: Pick<Metrics, 'prekeyPool'>;
}

/** What would take keys away from a device, or put others in their place: one-time keys and a deletion bear no signature. */
const CHANGES: readonly LimeRequest['kind'][] = ['postSignedPrekey', 'postOneTimePrekeys', 'deleteUser'];

export class LimeService {
  constructor(private readonly deps: LimeServiceDeps) {}

  /**
   * Answers `request` of `sender`. Throws a 429 `Problem` beyond a budget; every other refusal is an answer.
   * Failures of the store come out as they are: they are no protocol answer but a 503.
   */
  async answer(sender: LimeSender, request: LimeRequest): Promise<LimeAnswer> {
    try {
      return await this.dispatch(sender, request);
    } catch (error) {
      const refusal = error instanceof StoreError ? refusalOf(error) : error;
      if (!(refusal instanceof Refusal)) throw error;
      const curveId = LIME_SUITES[request.suite].id;
      return { kind: 'error', curveId, code: LIME_ERRORS[refusal.error], text: refusal.message };
    }
  }

  private async dispatch(sender: LimeSender, request: LimeRequest): Promise<LimeAnswer> {
    const { door, bundles } = this.deps;
    const { prekeys } = this.deps.store;
    const { suite } = request;
    const ack: LimeAnswer = { kind: 'ack', suite, request: request.kind };
    if (sender.vouchedBy === 'peer' && request.kind !== 'getPeerBundle')
      throw new Refusal('badRequest', 'another directory may ask for bundles, and for nothing else');
    if (CHANGES.includes(request.kind)) await this.refuseForOthers(sender);
    switch (request.kind) {
      case 'registerUser':
        await door.register(sender, request);
        return ack;
      case 'postSignedPrekey':
        await door.replaceSignedPrekey(sender, suite, request.signedPrekey);
        return ack;
      case 'postOneTimePrekeys':
        await door.addOneTime(sender, suite, request.oneTimePrekeys);
        return ack;
      case 'getSelfOneTimePrekeys': {
        const ids = await prekeys.listOneTime(sender.device, suite);
        this.deps.metrics.prekeyPool.observe(ids.length);
        return { kind: 'selfOneTimePrekeys', suite, ids };
      }
      case 'deleteUser':
        await prekeys.delete(sender.device, suite);
        return ack;
      case 'getPeerBundle':
        return { kind: 'peerBundle', suite, peers: await bundles.answer(sender, suite, request.devices) };
      case 'registerIdentity':
        throw new Refusal('badRequest', 'this message ended with liblime 4.3: register with message 09');
    }
  }

  /** A device that can log in does so to change its keys: an app password that got lost, or open mode, does not reach them. */
  private async refuseForOthers({ device, vouchedBy }: LimeSender): Promise<void> {
    if (vouchedBy === 'device') return;
    if ((await this.deps.store.devices.find(device))?.loginKey.length)
      throw new Refusal('badRequest', 'this device has a login of its own: only its token changes its keys');
  }
}
