/** What waits for devices, and how long what was said is remembered: rows of `LIMITS`. */
import { DAY, type Limit, MINUTE, MiB } from './limit.ts';

export const MAILBOXES = {
  mailboxMessages: { value: 10_000, unit: 'messages', why: 'a device that stays away must not fill the disk' },
  mailboxBytes: { value: 64 * MiB, unit: 'bytes', why: 'the same in bytes' },
  accountMessages: {
    value: 20_000,
    unit: 'messages',
    why: 'what waits for all devices of an account together, an equal share for each: ten devices must not fill ten times the disk',
  },
  accountBytes: { value: 128 * MiB, unit: 'bytes', why: 'the same in bytes' },
  messageLifeMs: { value: 45 * DAY, unit: 'ms', why: 'longer than a signed prekey is kept after its replacement' },
  repeatMemoryMs: {
    value: 2 * 60 * MINUTE,
    unit: 'ms',
    why: 'how long a repeated message id is recognised: longer than a client that lost its answer stays away; after it the recipient knows it',
  },
  repeatMemoryMessages: {
    value: 2_000_000,
    unit: 'messages',
    why: 'of these ids the newest, so that their memory has an end: 32 bytes each in the embedded store',
  },
  claimedPrekeyMemoryMs: {
    value: 2 * DAY,
    unit: 'ms',
    why: 'an upload of one-time keys that is repeated after its answer was lost brings none back that was handed out',
  },
} as const satisfies Record<string, Limit>;
