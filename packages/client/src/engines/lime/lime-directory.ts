/** The calls of this device to the LIME key server, on one suite (lime-protocol sections 3 to 5). */
import type { SuiteName } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import {
  decodeAnswer,
  encodeRequest,
  LIME_ERRORS,
  type LimeAnswer,
  type LimeBundle,
  type LimeOneTimePrekey,
  type LimeRequest,
  type LimeSignedPrekey,
} from '@sealwire/wire/lime-server';
import { LIMITS } from '@sealwire/wire/limits';
import { WireError } from '@sealwire/wire/wire-error';
import { ClientError } from '../../errors.ts';
import type { EngineContext } from '../engine.ts';

type LimeBundleAnswer = Extract<LimeAnswer, { kind: 'peerBundle' }>;

export interface FetchedBundle {
  readonly device: DeviceId;
  /** Absent: the directory has no keys of this device. */
  readonly bundle?: LimeBundle;
}

/** In one request. */
const MOST_BUNDLES = LIMITS.bundlesPerRequest.value;
/** Refusals that pass: a failure of the store, a limit whose period ends. */
const PASSING: readonly number[] = [LIME_ERRORS.databaseError, LIME_ERRORS.serverFailure, LIME_ERRORS.limitReached];

export class LimeDirectory {
  readonly #suite: SuiteName;
  readonly #context: EngineContext;

  constructor(suite: SuiteName, context: EngineContext) {
    this.#suite = suite;
    this.#context = context;
  }

  /** Idempotent: the same keys again are acknowledged. */
  async register(registration: {
    readonly identityKey: Uint8Array;
    readonly signedPrekey: LimeSignedPrekey;
    readonly oneTimePrekeys: readonly LimeOneTimePrekey[];
  }): Promise<void> {
    const { identityKey, signedPrekey, oneTimePrekeys } = registration;
    await this.#acknowledged({ kind: 'registerUser', suite: this.#suite, identityKey, signedPrekey, oneTimePrekeys });
  }

  /** Takes all keys of this device on this suite out of the directory. Idempotent. */
  async delete(): Promise<void> {
    await this.#acknowledged({ kind: 'deleteUser', suite: this.#suite });
  }

  async postSignedPrekey(signedPrekey: LimeSignedPrekey): Promise<void> {
    await this.#acknowledged({ kind: 'postSignedPrekey', suite: this.#suite, signedPrekey });
  }

  async postOneTimePrekeys(oneTimePrekeys: readonly LimeOneTimePrekey[]): Promise<void> {
    await this.#acknowledged({ kind: 'postOneTimePrekeys', suite: this.#suite, oneTimePrekeys });
  }

  /** One entry a device, in the order asked for. An answer that leaves one out counts as "no keys": it is not asked again at once. */
  async bundles(devices: readonly DeviceId[]): Promise<FetchedBundle[]> {
    const peers: LimeBundleAnswer['peers'][number][] = [];
    for (let from = 0; from < devices.length; from += MOST_BUNDLES) {
      const some = devices.slice(from, from + MOST_BUNDLES);
      const answer = await this.#ask({ kind: 'getPeerBundle', suite: this.#suite, devices: some });
      if (answer.kind !== 'peerBundle') throw refused(answer);
      peers.push(...answer.peers);
    }
    const byDevice = new Map(peers.map(({ device, bundle }) => [device, bundle]));
    return devices.map((device) => {
      const bundle = byDevice.get(device);
      return bundle ? { device, bundle } : { device };
    });
  }

  /** Ids that the directory still holds, or that it does not know this device (any more). */
  async ownOneTimePrekeys(): Promise<readonly number[] | 'unknown-device'> {
    const answer = await this.#ask({ kind: 'getSelfOneTimePrekeys', suite: this.#suite });
    if (answer.kind === 'selfOneTimePrekeys') return answer.ids;
    if (answer.kind === 'error' && answer.code === LIME_ERRORS.userNotFound) return 'unknown-device';
    throw refused(answer);
  }

  async #acknowledged(request: LimeRequest): Promise<void> {
    const answer = await this.#ask(request);
    if (answer.kind !== 'ack' || answer.request !== request.kind) throw refused(answer);
  }

  async #ask(request: LimeRequest): Promise<LimeAnswer> {
    const bytes = await this.#context.postToDirectory(encodeRequest(request));
    try {
      return decodeAnswer(bytes, this.#suite);
    } catch (cause) {
      if (!(cause instanceof WireError)) throw cause;
      throw new ClientError('bad-answer', 'the key directory does not answer as documented: is it a Sealwire server?', {
        cause,
      });
    }
  }
}

function refused(answer: LimeAnswer): ClientError {
  if (answer.kind !== 'error')
    return new ClientError('bad-answer', `the key directory answered ${answer.kind} out of turn`);
  const name = Object.entries(LIME_ERRORS).find(([, code]) => code === answer.code)?.[0] ?? `error ${answer.code}`;
  const text = `the key directory refused: ${answer.text || name}`;
  return new ClientError(PASSING.includes(answer.code) ? 'unavailable' : 'conflict', text);
}
