/** Groups: rows of `LIMITS`. */
import { KiB, type Limit, MiB } from './limit.ts';

export const GROUPS = {
  groupMembers: {
    value: 1_000,
    unit: 'entries',
    why: 'of one group, invited ones too: each message is encrypted for every device of theirs',
  },
  groupEvents: {
    value: 5_000,
    unit: 'entries',
    why: 'of a group’s log: years of changes; one that is full goes on without changes, or in a new group',
  },
  groupEventsPerMember: {
    value: 1_500,
    unit: 'entries',
    why: 'of one actor: an administrator who brings in a thousand one by one has room left, and one who floods fills a third',
  },
  groupEventBytes: { value: 24 * KiB, unit: 'bytes', why: 'one event: a picture’s descriptor, or 64 invited accounts' },
  groupLogBytes: { value: 4 * MiB, unit: 'bytes', why: 'a group’s log in bytes: `groupEvents` of 800 bytes' },
  groupLogBytesPerMember: { value: 1 * MiB, unit: 'bytes', why: 'the same of one actor' },
  groupBranches: {
    value: 4,
    unit: 'entries',
    why: 'events of one actor with one number, which honest devices make two of at most; more wait until somebody else builds on them',
  },
  groupPending: {
    value: 256,
    unit: 'entries',
    why: 'events of a group that wait for others; beyond it the oldest go, and come again when they are asked for',
  },
} as const satisfies Record<string, Limit>;
