/**
 * The frames of one attempt to send a message (docs/spec/client.md section 5, step 3): one where that suffices, else several that share
 * the body. Each names whole accounts, so that the relay finds in each of them what a list of devices lacks.
 */
import { encodeClientFrame } from '@sealwire/wire/frame-codec';
import type { Part } from '@sealwire/wire/frames';
import { type AccountAddress, accountOf, type MessageId, parseMessageId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { ClientError } from '../errors.ts';

/** Of a frame and of each part beside their bytes: tags and lengths, generously. */
const FRAME_OVERHEAD = 64;
const PART_OVERHEAD = 16;
/** In base64url: all of a message id but its last byte. */
const SHARED_CHARACTERS = 20;
const MOST_FRAMES = 256;

export interface AttemptParts {
  /** Of the first frame; the others count on in its last byte. */
  readonly relayId: MessageId;
  readonly body: Uint8Array;
  readonly parts: readonly Part[];
  /** The sender's account: only the first frame is compared with its devices, or none when they were served before. */
  readonly own: AccountAddress;
  readonly isOwnServed: boolean;
}

/** Throws `message-too-large` when one account does not fit a frame. */
export function sendFrames({ relayId, body, parts, own, isOwnServed }: AttemptParts): Uint8Array[] {
  return packed(body, parts, own).map((part, index) =>
    encodeClientFrame({
      kind: 'send',
      id: frameId(relayId, index),
      body,
      parts: part,
      allDevices: true,
      ownElsewhere: isOwnServed || index > 0,
    }),
  );
}

/** Whether both are relay ids of one attempt; base64url. */
export function areOfOneAttempt(a: string, b: string): boolean {
  return a.slice(0, SHARED_CHARACTERS) === b.slice(0, SHARED_CHARACTERS);
}

/** Of the frame at `index` of an attempt. */
export function frameId(relayId: MessageId, index: number): MessageId {
  const last = relayId.length - 1;
  return parseMessageId(Uint8Array.from(relayId, (byte, at) => (at === last ? byte + index : byte)));
}

function packed(body: Uint8Array, parts: readonly Part[], own: AccountAddress): Part[][] {
  const accounts = new Map<AccountAddress, Part[]>();
  for (const part of parts) {
    const account = accountOf(part.device);
    accounts.set(account, [...(accounts.get(account) ?? []), part]);
  }
  const ownFirst = [own, ...[...accounts.keys()].filter((account) => account !== own)];
  const room = LIMITS.frameBytes.value - FRAME_OVERHEAD - body.length;
  const frames: Part[][] = [[]];
  let left = room;
  for (const account of ownFirst) {
    const group = accounts.get(account) ?? [];
    const bytes = group.reduce((sum, { device, content }) => sum + device.length + content.length + PART_OVERHEAD, 0);
    if (bytes > room)
      throw new ClientError('message-too-large', 'the message is too large for so many devices: send it as a file');
    const { length } = frames.at(-1)!;
    if (length > 0 && (bytes > left || length + group.length > LIMITS.partsPerFrame.value)) {
      frames.push([]);
      left = room;
    }
    frames.at(-1)!.push(...group);
    left -= bytes;
  }
  if (frames.length > MOST_FRAMES) throw new ClientError('message-too-large', 'the message is for too many devices');
  return frames;
}
