/** One device on one socket, as the parts behind the connection see it. */
import type { CloseCode } from '@sealwire/wire/errors';
import type { Lane } from '@sealwire/wire/frames';
import type { DeviceId, MessageId } from '@sealwire/wire/ids';
import type { Outbox } from '../delivery/outbox.ts';
import type { SocketWriter } from './socket-writer.ts';

export interface Session {
  readonly device: DeviceId;
  readonly lane: Lane;
  /** Of two sessions of a device the larger number is the newer, on whatever node. */
  readonly number: number;
  readonly writer: SocketWriter;
  /** Undefined on a lane that receives nothing. */
  readonly outbox: Outbox | undefined;
  readonly closed: boolean;
  /** Ids of this session's messages that became durable in the batch that is being told; the router's. */
  accepted: MessageId[] | undefined;
  /** A message of this session, of `bytes`, waits for its durable write: of a session that has too many no more are read. */
  submitted(bytes: number): void;
  /** It waits no more, whatever became of it. */
  settled(bytes: number): void;
  close(code: CloseCode): void;
  /** Looks into the mailbox within a few seconds: the bus may have lost something. */
  pollSoon(): void;
}

const NUMBERS_PER_MS = 4_096;

/** Session numbers are made from the clock (ms) and 12 random bits, so that nodes need not ask each other (until the year 2039). */
export function sessionNumber(now: number, random: Uint8Array): number {
  return now * NUMBERS_PER_MS + ((((random[0] ?? 0) << 8) | (random[1] ?? 0)) & 0xfff);
}
