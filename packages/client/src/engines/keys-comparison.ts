/** Asks the directory whether it holds the keys that this device believes it holds (docs/spec/lime-key-server.md section 5). */
import type { CryptoProvider, SuiteName } from '@sealwire/crypto/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { type DirectoryKeys, KEYS_PARTS, type KeysPart, keysDigests } from '@sealwire/wire/keys-check';
import { LIME_SUITES } from '@sealwire/wire/lime-server';
import type { AccessTokens } from '../connection/access-tokens.ts';
import type { HttpCalls } from '../connection/http-calls.ts';
import { ClientError } from '../errors.ts';

/** What differs: a part, or the whole registration because there is none. */
export type Difference = KeysPart | 'registration';

export interface ComparisonOptions {
  readonly http: HttpCalls;
  readonly tokens: AccessTokens;
  readonly crypto: CryptoProvider;
  readonly directoryPath: string;
}

/** Throws `ClientError`; `bad-answer` when the directory says that something differs, but not what. */
export async function compareKeys(
  { http, tokens, crypto, directoryPath }: ComparisonOptions,
  suite: SuiteName,
  keys: DirectoryKeys,
): Promise<readonly Difference[]> {
  const digests = keysDigests(crypto, suite, keys);
  const parts = Object.entries(digests).map(([part, digest]) => [part, encodeBase64url(digest)]);
  const body = { suites: [{ suite: LIME_SUITES[suite].id, ...Object.fromEntries(parts) }] };
  const call = { method: 'POST', path: `${directoryPath}/keys/check`, body } as const;
  try {
    await tokens.authorized((token) => http.bytes({ ...call, token }));
    return [];
  } catch (error) {
    if (!(error instanceof ClientError && error.code === 'keys-differ')) throw error;
    const differences = error.pointers.map(differenceAt).filter((found) => found !== undefined);
    if (differences.length > 0) return differences;
    throw new ClientError('bad-answer', 'the key directory does not say which keys differ', { cause: error });
  }
}

function differenceAt(pointer: string): Difference | undefined {
  const [, part] = /^\/suites\/0(?:\/(\w+))?$/.exec(pointer) ?? [pointer, pointer];
  if (part === undefined) return 'registration';
  return part in KEYS_PARTS ? (part as KeysPart) : undefined;
}
