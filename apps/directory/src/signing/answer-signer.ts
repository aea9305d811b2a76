/** Signs what the directory answers of manifests and bundles (docs/spec/verification.md section 7). */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { answerSigningInput, formatAnswerSignature, type SignedExchange } from '@sealwire/wire/answer-signature';

/** The value of the header. */
export type SignAnswer = (exchange: SignedExchange) => string;

/** `seed`: Ed25519, the same on all nodes; undefined: nothing is signed. */
export function answerSigner(
  crypto: CryptoProvider,
  seed: Uint8Array | undefined,
  now: () => number,
): SignAnswer | undefined {
  if (!seed) return undefined;
  const key = crypto.ed25519.publicKey(seed);
  return (exchange) => {
    const time = now();
    const input = answerSigningInput((bytes) => crypto.sha256(bytes), exchange, time);
    return formatAnswerSignature({ key, time, signature: crypto.ed25519.sign(seed, input) });
  };
}

const MANIFESTS = '/directory/';

/** Of a request for a manifest or a history; undefined: its answer is not signed. */
export function subjectOf(method: string, url: string): string | undefined {
  return method === 'GET' && url.startsWith(`${MANIFESTS}manifests/`) ? url.slice(MANIFESTS.length) : undefined;
}
