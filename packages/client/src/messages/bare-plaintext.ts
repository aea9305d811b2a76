/**
 * What was decrypted, as content: our encoding, or a CPIM message as Linphone makes it. A LIME client that knows neither encrypts its text as
 * it is: that is shown as text rather than dropped. Whoever decrypted it has authenticated its sender, so nobody gains by posing as such a
 * client.
 */
import { CpimError } from '@sealwire/cpim/errors';
import { type Content, decodeContent } from '@sealwire/wire/envelope';
import { WireError } from '@sealwire/wire/wire-error';
import { decodeCpim } from './cpim-content.ts';

export type ReadPlaintext =
  | ({ readonly kind: 'content' } & Content)
  /** `author`: the URI that the message names as its sender. `sentAt` is 0 when it names no time. */
  | ({ readonly kind: 'cpim'; readonly author: string } & Content)
  /** Not our encoding: bytes of no known type, text when they are UTF-8. Has neither an id nor a time of its own. */
  | ({ readonly kind: 'bare' } & Pick<Content, 'type' | 'body'> & { readonly [absent in 'sentAt' | 'id']?: undefined });

export function readPlaintext(plaintext: Uint8Array): ReadPlaintext {
  try {
    return { kind: 'content', ...decodeContent(plaintext) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
  try {
    const { content, from } = decodeCpim(plaintext);
    return { kind: 'cpim', author: from, ...content };
  } catch (error) {
    if (!(error instanceof CpimError || error instanceof WireError)) throw error;
  }
  return { kind: 'bare', type: isText(plaintext) ? 'text/plain' : 'application/octet-stream', body: plaintext };
}

function isText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
