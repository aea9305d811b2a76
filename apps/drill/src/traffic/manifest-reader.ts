/** At the end: what the directory holds of every account whose list of devices it has ever accepted or shown. */
import { setTimeout as pause } from 'node:timers/promises';
import { nodeRuntime } from '@sealwire/client/node/runtime';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { ManifestHistoryAnswer } from '@sealwire/wire/http';
import { nameOf, parseAccountAddress } from '@sealwire/wire/ids';
import { decodeManifest, manifestHash } from '@sealwire/wire/manifest';
import type { Record } from '../history/history.ts';

const ATTEMPTS = 120;
const RETRY_MS = 500;

/** What cannot be read is not held. */
export async function readManifests(server: string, accounts: Iterable<string>, record: Record): Promise<void> {
  const { crypto } = nodeRuntime();
  for (const account of accounts) {
    let after = 0;
    for (;;) {
      const name = encodeURIComponent(nameOf(parseAccountAddress(account)));
      const answer = await askPatiently(`${server}/directory/manifests/${name}/history?after=${after}`);
      if (!answer) break;
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

/** A server that is still catching its breath is asked again; undefined: there is no such account, or no answer in a minute. */
async function askPatiently(url: string): Promise<Response | undefined> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return response;
    if (response?.status === 404) return undefined;
    await pause(RETRY_MS);
  }
  return undefined;
}
