/** At the end: what the directory holds of every account whose list of devices it has ever accepted. */
import { setTimeout as pause } from 'node:timers/promises';
import { nodeRuntime } from '@sealwire/client/node/runtime';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { ManifestHistoryAnswer } from '@sealwire/wire/http';
import { nameOf, parseAccountAddress } from '@sealwire/wire/ids';
import { decodeManifest, manifestHash } from '@sealwire/wire/manifest';
import type { Record } from '../history/history.ts';

const ATTEMPTS = 20;
const RETRY_MS = 500;

export async function readManifests(server: string, accounts: Iterable<string>, record: Record): Promise<void> {
  const { crypto } = nodeRuntime();
  for (const account of accounts) {
    let after = 0;
    for (;;) {
      const name = encodeURIComponent(nameOf(parseAccountAddress(account)));
      const answer = await askPatiently(`${server}/directory/manifests/${name}/history?after=${after}`);
      const { manifests, next } = ManifestHistoryAnswer.parse(await answer.json());
      for (const { manifest } of manifests) {
        const { version } = decodeManifest(manifest);
        record({ event: 'manifest-held', account, version, digest: encodeBase64url(manifestHash(crypto, manifest)) });
      }
      if (next === undefined) break;
      after = next;
    }
  }
}

/** A server that is still catching its breath is asked again. */
async function askPatiently(url: string): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return response;
    if (attempt === ATTEMPTS) throw new Error(`${url} answers ${response?.status ?? 'nothing'}`);
    await pause(RETRY_MS);
  }
}
