/**
 * What members of a group tell each other of its log (docs/spec/groups.md section 6): events and heads. Posts carry it in a field; in a
 * message of type `GROUP_TYPE`, which applications never see, it is the body.
 */
import { LIMITS } from './limits.ts';
import { bool, bytes, exactly, list, type MessageOf, MessageType } from './protobuf/fields.ts';

/** Media type of a message that carries news of a group and nothing else. */
export const GROUP_TYPE = 'application/vnd.sealwire.group';
/** Of an event, and of a group, which is the hash of its first event. */
const HASH_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** So many members may write at once without knowing of each other. */
export const GROUP_HEADS = 32;

export const GROUP_NEWS = new MessageType(
  {
    /** Empty where the conversation says it. */
    group: bytes(1, HASH_BYTES),
    heads: list(exactly(2, HASH_BYTES), GROUP_HEADS),
    /** `GroupEvents` (group-event.ts), encoded: parents first. */
    events: bytes(3, LIMITS.payloadBytes.value),
    asks: bool(4),
    /** Of who asks by an invite link: the link, and its key's word for the account that asks. Empty otherwise. */
    link: bytes(5, HASH_BYTES),
    proof: bytes(6, SIGNATURE_BYTES),
  },
  {
    check({ group, link, proof }, reader) {
      if (link.length > 0 ? proof.length !== SIGNATURE_BYTES : proof.length > 0) reader.fail('half a proof');
      if (group.length !== 0 && group.length !== HASH_BYTES) reader.fail('a group id of another length');
    },
  },
);

export type GroupNews = MessageOf<typeof GROUP_NEWS>;
const NOT_BY_LINK = { link: new Uint8Array(0), proof: new Uint8Array(0) };

/** Throws `bad-content` for more heads or events than there may be. */
export function encodeGroupNews(news: Omit<GroupNews, 'link' | 'proof'> & Partial<GroupNews>): Uint8Array<ArrayBuffer> {
  return GROUP_NEWS.encode({ ...NOT_BY_LINK, ...news }, 'bad-content');
}

/** Throws `WireError` `bad-content`. */
export function decodeGroupNews(bytes: Uint8Array): GroupNews {
  return GROUP_NEWS.decode(bytes, 'bad-content');
}
