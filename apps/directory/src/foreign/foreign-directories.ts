/**
 * Bundles of devices of other domains, asked for at the directory of their own (docs/spec/lime-key-server.md section 7). Whatever a peer
 * does, the answer here is a bundle that holds or none: a peer that is down, slow or lying costs its own people their bundles, for a while.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import type { Metrics } from '@sealwire/service/metrics';
import type { DeviceId } from '@sealwire/wire/ids';
import {
  decodeAnswer,
  encodeRequest,
  keyFormOf,
  LIME_CONTENT_TYPE,
  type LimeBundle,
  type ServedSuite,
} from '@sealwire/wire/lime-server';
import { areBundlesOf, isGoodBundle, largestAnswer } from './foreign-answer.ts';
import {
  ANSWER_WITHIN_MS,
  type ForeignPeer,
  type ForeignPeers,
  type ForeignResult,
  readAtMost,
} from './foreign-peer.ts';
import type { PeerSigner } from './peer-tokens.ts';

/** Signatures take a millisecond: so many, and then other requests get their turn. */
const CHECKS_AT_ONCE = 8;

/** Whether an operator blocked a domain. What cannot be known now is taken for blocked. */
export type BlockedDomain = (domain: string) => Promise<boolean>;

export interface ForeignDirectories {
  /** Whether devices of this domain are asked for elsewhere. */
  serves(domain: string): boolean;
  /** One a device, in order; undefined: none to be had. Never rejects. */
  bundles(
    requester: DeviceId,
    domain: string,
    suite: ServedSuite,
    devices: readonly DeviceId[],
  ): Promise<(LimeBundle | undefined)[]>;
}

export interface ForeignDirectoriesDeps {
  readonly peers: ForeignPeers;
  /** Undefined: this server has no key to show, and asks nobody. */
  readonly signer: PeerSigner | undefined;
  readonly crypto: CryptoProvider;
  readonly metrics: Metrics;
  readonly isBlocked: BlockedDomain;
  readonly answerWithinMs?: number;
}

export function createForeignDirectories(deps: ForeignDirectoriesDeps): ForeignDirectories {
  const { peers, signer, crypto, metrics, isBlocked, answerWithinMs = ANSWER_WITHIN_MS } = deps;

  /** Undefined: a refusal, which says nothing of what others would be answered. Rejects when the peer does not do its work. */
  async function ask(
    { place }: ForeignPeer,
    signer: PeerSigner,
    requester: DeviceId,
    suite: ServedSuite,
    devices: readonly DeviceId[],
  ): Promise<Uint8Array | undefined> {
    const body = encodeRequest({ kind: 'getPeerBundle', suite: suite, devices });
    const token = await signer.sign({ to: place.domain, requester, bodyHash: crypto.sha256(body) });
    // Header values are bytes to the other side, and ids are UTF-8.
    const from = Buffer.from(requester, 'utf8').toString('latin1');
    const response = await fetch(place.url, {
      method: 'POST',
      body,
      headers: { authorization: `Sealwire-Peer ${token}`, from, 'content-type': LIME_CONTENT_TYPE },
      redirect: 'error',
      signal: AbortSignal.timeout(answerWithinMs),
    });
    if (response.status === 200) return readAtMost(response, largestAnswer(suite, devices));
    await response.body?.cancel();
    if (response.status >= 500) throw new Error(`status ${response.status}`);
    return undefined;
  }

  /** Undefined: the answer is not one to this request. */
  async function check(
    bytes: Uint8Array,
    suite: ServedSuite,
    devices: readonly DeviceId[],
  ): Promise<(LimeBundle | undefined)[] | undefined> {
    const answer = decodeAnswer(bytes, suite);
    if (answer.kind !== 'peerBundle' || !areBundlesOf(answer.peers, devices)) return undefined;
    const good: (LimeBundle | undefined)[] = [];
    for (const { bundle } of answer.peers) {
      if (good.length % CHECKS_AT_ONCE === CHECKS_AT_ONCE - 1) await new Promise(setImmediate);
      good.push(bundle && isGoodBundle(keyFormOf(crypto, suite), bundle) ? bundle : undefined);
    }
    return good;
  }

  return {
    serves: (domain) => peers.has(domain),

    async bundles(requester, domain, suite, devices) {
      const none = devices.map(() => undefined);
      const peer = peers.get(domain);
      if (!peer || !signer || (await isBlocked(domain)) || !peer.begin()) {
        metrics.directoryForeignRequests.inc({ result: 'skipped' });
        return none;
      }
      let result: ForeignResult = 'failed';
      try {
        const bytes = await ask(peer, signer, requester, suite, devices);
        if (!bytes) return none;
        result = 'invalid';
        const bundles = await check(bytes, suite, devices);
        if (!bundles) return none;
        result = 'answered';
        return bundles;
      } catch {
        // No connection, too late, too long, not LIME: all the same to who asked, and told apart by the metric.
        // What one requester brings about, a limit of the peer's for example, must not pause it for all: see `ask`.
        if (result === 'failed') peer.failed();
        return none;
      } finally {
        peer.end();
        metrics.directoryForeignRequests.inc({ result });
      }
    },
  };
}
