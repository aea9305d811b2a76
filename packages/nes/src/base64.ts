/** Base64 as NES has it everywhere (docs/spec/nes.md section 1): URL-safe alphabet with padding; CR and LF inside are skipped. */

const STRICT = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2}==|[A-Za-z0-9_-]{3}=)?$/;

export function encodeBase64(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('base64url');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** Undefined for what is not that. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const plain = text.replace(/[\r\n]/g, '');
  return STRICT.test(plain) ? new Uint8Array(Buffer.from(plain, 'base64url')) : undefined;
}
