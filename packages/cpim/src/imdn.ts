/** How a message asks for notices of what becomes of it (RFC 5438 section 6), and is named in them. The notices: `notice.ts`. */

export const IMDN_NAMESPACE = 'urn:ietf:params:imdn';
export const IMDN_TYPE = 'message/imdn+xml';

/** Section 6.2: what a sender wants to hear of. */
export const DISPOSITIONS = ['positive-delivery', 'negative-delivery', 'processing', 'display'] as const;
export type Disposition = (typeof DISPOSITIONS)[number];

/** RFC 3862 section 3.6: a token, which section 6.3 asks for. Others are read, and not written. */
const MESSAGE_ID = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,255}$/;

/** Whether `id` can stand in `imdn.Message-ID`. */
export function isMessageId(id: string): boolean {
  return MESSAGE_ID.test(id);
}
