/** Files beside the messages: rows of `LIMITS`. */
import { DAY, GiB, KiB, type Limit, MiB, SECOND } from './limit.ts';

export const ATTACHMENTS = {
  attachmentBytes: {
    value: 2_304 * MiB,
    unit: 'bytes',
    why: 'one file with its padding: 2 GiB of content; the operator may change it',
  },
  attachmentBytesPerAccount: {
    value: 10 * GiB,
    unit: 'bytes',
    why: 'all that an account has uploaded and not deleted, unfinished ones too; the operator may change it',
  },
  attachmentsPerAccount: {
    value: 2_000,
    unit: 'entries',
    why: 'the same in number: two each hour of their life; all are counted with each new one',
  },
  attachmentLifeMs: {
    value: 30 * DAY,
    unit: 'ms',
    why: 'how long an uploaded file is kept; the operator may change it',
  },
  uploadLifeMs: {
    value: DAY,
    unit: 'ms',
    why: 'an upload that is not complete after it is swept: a slow link needs hours',
  },
  transferStallMs: {
    value: 30 * SECOND,
    unit: 'ms',
    why: 'in which an upload to the embedded place brings at least `transferStallBytes`, and a download takes some',
  },
  transferStallBytes: {
    value: 16 * KiB,
    unit: 'bytes',
    why: 'half a KiB a second: the slowest link that a file is sent over',
  },
} as const satisfies Record<string, Limit>;
