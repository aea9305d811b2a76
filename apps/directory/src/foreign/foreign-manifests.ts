/**
 * Manifests of accounts of other domains, read at the directory of their own (docs/spec/lime-key-server.md section 7). Clients check what
 * they get as they check ours; what is checked here is that a peer cannot make this directory hand out what is none.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import type { Metrics } from '@sealwire/service/metrics';
import { Problem } from '@sealwire/service/problem';
import { ManifestAnswer, ManifestHistoryAnswer } from '@sealwire/wire/http';
import { type AccountAddress, canonicalDomainOf, nameOf, parseAccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { verifyManifest } from '@sealwire/wire/manifest';
import { WireError } from '@sealwire/wire/wire-error';
import type { z } from 'zod';
import type { BlockedDomain } from './foreign-directories.ts';
import { ANSWER_WITHIN_MS, type ForeignPeers, type ForeignResult, readAtMost } from './foreign-peer.ts';

/** Base64url of a manifest, and what stands around it. */
const ANSWER_BYTES = 2 * LIMITS.manifestBytes.value;

type Newest = z.output<typeof ManifestAnswer>;
type History = z.output<typeof ManifestHistoryAnswer>;

export interface ForeignManifestsDeps {
  readonly peers: ForeignPeers;
  readonly crypto: CryptoProvider;
  readonly metrics: Metrics;
  readonly isBlocked: BlockedDomain;
  readonly answerWithinMs?: number;
}

export class ForeignManifests {
  constructor(private readonly deps: ForeignManifestsDeps) {}

  /** The account that `name` of a request means, `carol@example.com`, where example.com is a peer; else undefined. */
  account(name: string): AccountAddress | undefined {
    if (!name.includes('@')) return undefined;
    try {
      const address = parseAccountAddress(`sip:${name}`);
      return this.deps.peers.has(canonicalDomainOf(address)) ? address : undefined;
    } catch (error) {
      if (error instanceof WireError) return undefined;
      throw error;
    }
  }

  /** Throws `Problem`: `not-found`, `unavailable` when the peer does not do its work. */
  newest(account: AccountAddress): Promise<Newest> {
    return this.#ask(account, '', ANSWER_BYTES, (body) => {
      const answer = ManifestAnswer.parse(body);
      this.#verify(account, answer, [answer]);
      return answer;
    });
  }

  /** Versions above `after`, as `ManifestService.history`. */
  history(account: AccountAddress, after: number): Promise<History> {
    return this.#ask(account, `/history?after=${after}`, LIMITS.manifestPageBytes.value, (body) => {
      const answer = ManifestHistoryAnswer.parse(body);
      this.#verify(account, answer, answer.manifests);
      return answer;
    });
  }

  #verify(
    account: AccountAddress,
    { address, accountKey }: Pick<Newest, 'address' | 'accountKey'>,
    manifests: readonly Pick<Newest, 'manifest' | 'signature'>[],
  ): void {
    if (address !== account) throw new WireError('invalid-manifest', 'of another account');
    for (const { manifest, signature } of manifests)
      if (verifyManifest(this.deps.crypto, accountKey, manifest, signature).address !== account)
        throw new WireError('invalid-manifest', 'of another account');
  }

  async #ask<T>(account: AccountAddress, rest: string, most: number, read: (body: unknown) => T): Promise<T> {
    const { peers, metrics, isBlocked, answerWithinMs = ANSWER_WITHIN_MS } = this.deps;
    const domain = canonicalDomainOf(account);
    const peer = peers.get(domain);
    let result: ForeignResult = 'skipped';
    if ((await isBlocked(domain)) || !peer?.begin()) {
      metrics.directoryForeignRequests.inc({ result });
      throw unavailable();
    }
    result = 'failed';
    try {
      const url = new URL(`manifests/${encodeURIComponent(nameOf(account))}${rest}`, peer.place.url);
      const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(answerWithinMs) });
      if (response.status !== 200) {
        await response.body?.cancel();
        // What it refuses is an answer: a limit of its own must not pause it for all.
        if (response.status < 500) result = 'answered';
        throw response.status === 404 ? new Problem('not-found') : unavailable();
      }
      const bytes = await readAtMost(response, most);
      result = 'invalid';
      const answer = read(JSON.parse(new TextDecoder().decode(bytes)));
      result = 'answered';
      return answer;
    } catch (error) {
      if (result === 'failed') peer.failed();
      throw error instanceof Problem ? error : unavailable(error);
    } finally {
      peer.end();
      metrics.directoryForeignRequests.inc({ result });
    }
  }
}

function unavailable(cause?: unknown): Problem {
  return new Problem('unavailable', { detail: 'the directory of that domain does not answer' }, { cause });
}
