/** What each order of an administrator is for and answers, for the description (`description.ts`), by its name. */
import { z } from 'zod';
import { ADMIN_ROLES } from './operation.ts';

/** ms since 1970 */
const time = z.int().min(0);
const count = z.int().min(0);
const address = z.string();
const room = z.strictObject({ messages: count, bytes: count });
const files = z.strictObject({ count, bytes: count });
/** What has one of its own. */
const quota = z.strictObject({ messages: count, bytes: count, files: count, fileBytes: count }).partial().optional();
const disabledAt = time.optional();
/** The `after` or `before` of the next page. */
const next = z.string().optional();
const number = z.string();
const notice = z.strictObject({ id: z.string(), text: z.string(), at: time, until: time });
const maintenance = { since: time, retryAfterSeconds: count };

export interface Described {
  /** One sentence without its full stop. */
  readonly summary: string;
  readonly answer: z.ZodType;
  /** A named account, invitation or token may not be there. */
  readonly maySayNotFound?: true;
  readonly maySayLimitReached?: true;
}

export const DESCRIBED: Readonly<Record<string, Described>> = {
  'accounts list': {
    summary: 'Accounts, by their addresses',
    answer: z.strictObject({
      accounts: z.array(
        z.strictObject({
          address,
          createdAt: time,
          devices: count,
          disabledAt,
          quota,
          waiting: room.optional(),
          files: files.optional(),
        }),
      ),
      next,
    }),
  },
  'accounts show': {
    summary: 'One account, its devices, and what waits for each',
    answer: z.strictObject({
      address,
      createdAt: time,
      accountKey: z.string(),
      manifest: count,
      disabledAt,
      quota,
      devices: z.array(z.strictObject({ id: z.string(), addedAt: time, waiting: room })),
      appPasswords: count,
      files,
    }),
    maySayNotFound: true,
  },
  'accounts disable': {
    summary: 'Shuts an account out, everywhere and at once',
    answer: z.strictObject({ address, disabledAt: time }),
    maySayNotFound: true,
  },
  'accounts enable': {
    summary: 'Lets it in again',
    answer: z.strictObject({ address }),
    maySayNotFound: true,
  },
  'accounts quota': {
    summary: 'Room of its own for an account; null takes it back',
    answer: z.strictObject({ address, quota }),
    maySayNotFound: true,
  },
  'accounts delete': {
    summary: 'Deletes an account for good, with all that it has',
    answer: z.strictObject({ address }),
    maySayNotFound: true,
  },
  'accounts reset': {
    summary: 'A code for who has lost every device',
    answer: z.strictObject({ address, code: z.string(), number, expiresAt: time }),
    maySayNotFound: true,
  },
  'invitations make': {
    summary: 'An invitation code',
    answer: z.strictObject({ code: z.string(), number, expiresAt: time }),
  },
  'invitations list': {
    summary: 'Invitations by number, with what is left of each',
    answer: z.strictObject({
      invitations: z.array(
        z.strictObject({
          number,
          uses: count,
          left: count,
          createdAt: time,
          expiresAt: time,
          by: z.string(),
          revokedAt: time.optional(),
          state: z.enum(['good', 'used up', 'ended', 'revoked']),
        }),
      ),
      next,
    }),
  },
  'invitations revoke': {
    summary: 'Makes an invitation good for nobody more',
    answer: z.strictObject({ number }),
    maySayNotFound: true,
  },
  'sessions list': {
    summary: 'Who is connected, and to which node: what nodes answer within 0.7 s',
    answer: z.strictObject({
      count,
      nodes: z.record(z.string(), count),
      sessions: z.array(z.strictObject({ device: z.string(), node: z.string(), since: time })),
    }),
  },
  'notices send': {
    summary: 'A line of the server for all who are connected',
    answer: notice,
    maySayLimitReached: true,
  },
  'notices list': { summary: 'Notices that have not ended', answer: z.strictObject({ notices: z.array(notice) }) },
  'notices remove': { summary: 'Ends a notice', answer: z.strictObject({ id: z.string() }) },
  'domains list': {
    summary: 'Blocked domains',
    answer: z.strictObject({ domains: z.array(z.strictObject({ domain: z.string(), since: time })) }),
  },
  'domains block': {
    summary: 'Asks that domain nothing, answers it nothing, mails no codes there',
    answer: z.strictObject({ domain: z.string() }),
  },
  'domains unblock': { summary: 'Frees it again', answer: z.strictObject({ domain: z.string() }) },
  'maintenance on': {
    summary: 'Lets nobody new in, and says when to come back',
    answer: z.strictObject(maintenance),
    maySayLimitReached: true,
  },
  'maintenance off': { summary: 'Ends it', answer: z.strictObject({}) },
  'maintenance show': {
    summary: 'Whether it is on',
    answer: z.strictObject({
      isOn: z.boolean(),
      since: maintenance.since.optional(),
      retryAfterSeconds: maintenance.retryAfterSeconds.optional(),
    }),
  },
  stats: {
    summary: 'Figures by day, oldest first; null: fewer than five devices, or nothing to tell',
    answer: z.strictObject({
      days: z.array(
        z.strictObject({
          day: z.string(),
          activeDevices: count.nullable(),
          messages: count,
          deliveries: count,
          errors: count,
          delayMs: z.strictObject({ p50: z.number().nullable(), p99: z.number().nullable() }),
        }),
      ),
    }),
  },
  audit: {
    summary: 'The trail, newest first',
    answer: z.strictObject({
      entries: z.array(
        z.strictObject({
          at: time,
          order: z.string(),
          who: z.string(),
          role: z.enum(['machine', ...ADMIN_ROLES]),
          what: z.string(),
          about: z.string().optional(),
          outcome: z.enum(['begun', 'done', 'failed', 'refused']),
          code: z.string().optional(),
        }),
      ),
      next,
    }),
  },
};
