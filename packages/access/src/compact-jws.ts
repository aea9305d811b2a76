/**
 * The compact form of a signed token (RFC 7515 section 7.1), strictly: jose skips white space and stray bits, so that one token would have
 * many texts, and whoever remembers, counts or blocks tokens by their text could be led past it.
 */
import { decodeBase64url } from '@sealwire/wire/base64url';
import { WireError } from '@sealwire/wire/wire-error';

/** Whether `text` is three parts of base64url, none empty, each in its one canonical form (RFC 4648 section 3.5). */
export function isCompactJws(text: string): boolean {
  const parts = text.split('.', 4);
  return parts.length === 3 && parts.every((part) => part !== '' && isCanonical(part));
}

function isCanonical(text: string): boolean {
  try {
    decodeBase64url(text);
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}
