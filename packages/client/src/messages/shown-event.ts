/**
 * What an application is shown of a message: the message itself, or what it does to an earlier one (docs/spec/messages.md section 6). Only
 * its author changes a message: an account is known by the devices that the ids of taken messages are kept with.
 */
import type { Content } from '@sealwire/wire/envelope';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import { readPeer } from '../accounts/peer-record.ts';
import type { IncomingMessage } from '../events.ts';
import type { Records } from '../storage/ledger.ts';
import type { DurableEvent } from './inbox.ts';

/** Longer than any emoji: the body of a reaction is cut there. */
const EMOJI_BYTES = 64;

export interface ShownOptions {
  readonly me: DeviceId;
  /** Whether a message with this id of this device was taken, of late. */
  readonly isTaken: (device: DeviceId, id: string) => boolean;
}

export function shownEvent(
  { me, isTaken }: ShownOptions,
  records: Records,
  message: IncomingMessage & { readonly reactionTo?: string },
  { edits, deletes }: Partial<Pick<Content, 'edits' | 'deletes'>> = {},
): DurableEvent {
  const { conversation, from, device, sentAt, acceptedAt, type, body, mentions, reactionTo } = message;
  const about = { conversation, from, device, sentAt, acceptedAt };
  if (reactionTo !== undefined)
    return {
      kind: 'reaction',
      id: reactionTo,
      ...about,
      emoji: new TextDecoder().decode(body.subarray(0, EMOJI_BYTES)),
    };
  const id = edits ?? deletes;
  if (id === undefined) return message;
  // What this very device wrote it did not take: only our own devices say so of it.
  const devices = readPeer(records, from)?.manifest.devices ?? [];
  const isAuthor = from === accountOf(me) || devices.some((each) => isTaken(each.id, id));
  if (!isAuthor) return { kind: 'change-refused', id, ...about };
  if (deletes !== undefined) return { kind: 'message-deleted', id, ...about };
  return { kind: 'message-edited', id, ...about, type, body, ...(mentions && { mentions }) };
}
