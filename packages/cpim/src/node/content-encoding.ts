/** `Content-Encoding: deflate` of SIP bodies (RFC 3261 section 20.12), which is zlib (RFC 1950). */
import { deflateSync, inflateSync } from 'node:zlib';
import { CpimError } from '../errors.ts';
import { MULTIPART_BYTES } from '../limits.ts';

export function deflateBody(body: Uint8Array): Uint8Array {
  return deflateSync(body);
}

/** Throws `CpimError`: `too-large` as soon as more comes out than a body may have. */
export function inflateBody(deflated: Uint8Array): Uint8Array {
  try {
    return inflateSync(deflated, { maxOutputLength: MULTIPART_BYTES });
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE')
      throw new CpimError('too-large', `a body that inflates to more than ${MULTIPART_BYTES} bytes`);
    throw new CpimError('malformed', 'a body that is not deflated as it says');
  }
}
