/** Signs what the directory answers of manifests and bundles, and that there is none (docs/spec/verification.md section 7). */
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

/** Of an answer that is signed. Where there is no route nothing was looked for: whoever asks for that is not worth a signature. */
export function kindOf(
  { is404 }: { readonly is404: boolean },
  { statusCode }: { readonly statusCode: number },
): SignedExchange['kind'] | undefined {
  if (statusCode === 404 && !is404) return 'none';
  return statusCode === 200 ? 'found' : undefined;
}

/** Of a request for a manifest or a history; undefined: its answer is not signed. */
export function subjectOf(method: string, url: string): string | undefined {
  return method === 'GET' && url.startsWith(`${MANIFESTS}manifests/`) ? url.slice(MANIFESTS.length) : undefined;
}
