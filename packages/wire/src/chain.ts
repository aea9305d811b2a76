/** What both ends of a chain compute alike: digests, tags, and the type of a receipt (docs/spec/chain.md section 2). */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { type Content, DIGEST_BYTES, encodeGoodContent, TAG_BYTES } from './envelope.ts';
import type { AccountAddress, DeviceId } from './ids.ts';

/** Media type of a message that carries receipts and nothing else; applications never see it. */
export const RECEIPT_TYPE = 'application/vnd.sealwire.receipt';

const DIGEST_CONTEXT = 'sealwire/chain/v1';
const TAG_CONTEXT = 'sealwire/device-tag/v1';
const utf8 = new TextEncoder();

/**
 * 16 bytes: of a message that `sender` wrote in `conversation`, the account that it is encrypted for. Without newcomers and receipts,
 * which differ between two attempts to send it. `content` is good: `decodeContent` has answered it.
 */
export function chainDigest(
  crypto: CryptoProvider,
  sender: DeviceId,
  conversation: AccountAddress,
  { type, body, sentAt, id, link }: Content,
): Uint8Array {
  const lasting = {
    type,
    body,
    sentAt,
    ...(id !== undefined && { id }),
    ...(link && { link: { ...link, newcomers: [] } }),
  };
  const content = encodeGoodContent(lasting);
  const context = utf8.encode(`${DIGEST_CONTEXT}\0${sender}\0${conversation}\0`);
  const input = new Uint8Array(context.length + content.length);
  input.set(context);
  input.set(content, context.length);
  return crypto.sha256(input).slice(0, DIGEST_BYTES);
}

/** 8 bytes that stand for a device within its conversation. */
export function deviceTag(crypto: CryptoProvider, device: DeviceId): Uint8Array {
  return crypto.sha256(utf8.encode(`${TAG_CONTEXT}\0${device}`)).slice(0, TAG_BYTES);
}
