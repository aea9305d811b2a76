/** Two key directories of two domains that know each other (docs/spec/lime-key-server.md section 7). */
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { type KeyDirectory, startKeyDirectory } from './key-directory.ts';

type Settings = Parameters<typeof startKeyDirectory>[0];

/** Where each is, is known once both are there. */
export async function startPair(
  domains: readonly [string, string],
  settings: Settings = {},
): Promise<readonly [KeyDirectory, KeyDirectory]> {
  const { ed25519 } = nodeCrypto();
  const sides = domains.map((domain) => {
    const seed = systemRandom(32);
    const url = new URL('http://127.0.0.1/directory/lime');
    return { seed, entry: { domain, url, publicKey: ed25519.publicKey(seed) } };
  });
  const [here, there] = await Promise.all(
    sides.map(({ seed, entry }, i) =>
      startKeyDirectory({
        ...settings,
        DOMAIN: entry.domain,
        PEER_KEY: seed,
        PEER_DIRECTORIES: [sides[1 - i]!.entry],
      }),
    ),
  );
  for (const [i, directory] of [here!, there!].entries()) sides[i]!.entry.url.port = new URL(directory.url).port;
  return [here!, there!];
}
