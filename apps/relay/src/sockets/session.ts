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
/** Beyond (the year 2038) a clock is wrong, or old enough for this to count on by claims: numbers stay exact. */
const LATEST = 2 ** 53 / NUMBERS_PER_MS - 366 * 24 * 60 * 60_000;

/**
 * Session numbers are made from the clock (ms) and 12 random bits, so that nodes need not ask each
 * other. Where clocks differ, or were set, the store's newest number decides (`claimSession`).
 */
export function sessionNumber(now: number, random: Uint8Array): number {
  return Math.min(now, LATEST) * NUMBERS_PER_MS + step(random);
}

/**
 * A number behind `number`. Not the next one: nodes that go on counting from what clocks of before
 * have left must not meet.
 */
export function numberAfter(number: number, random: Uint8Array): number {
  return number + 1 + step(random);
}

function step(random: Uint8Array): number {
  return (((random[0] ?? 0) << 8) | (random[1] ?? 0)) & (NUMBERS_PER_MS - 1);
}
