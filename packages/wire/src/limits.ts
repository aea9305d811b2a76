/**
 * Limits are API: each has a value, a unit and a reason, and a test on both sides of it.
 * What an operator may change is read from the configuration; these are the values it starts from.
 */
import { ACCOUNTS } from './limits/accounts.ts';
import { ATTACHMENTS } from './limits/attachments.ts';
import { DIRECTORY } from './limits/directory.ts';
import { GROUPS } from './limits/groups.ts';
import type { Limit } from './limits/limit.ts';
import { MAILBOXES } from './limits/mailboxes.ts';
import { RATES } from './limits/rates.ts';
import { SOCKETS } from './limits/sockets.ts';

export type { Limit };

export const LIMITS = {
  ...SOCKETS,
  ...MAILBOXES,
  ...ACCOUNTS,
  ...ATTACHMENTS,
  ...DIRECTORY,
  ...RATES,
  ...GROUPS,
  drainSocketsPerSecond: {
    value: 400,
    unit: 'sockets/s',
    why: 'clients of a node that stops come back in a stream, not in a wave',
  },
} as const satisfies Record<string, Limit>;
