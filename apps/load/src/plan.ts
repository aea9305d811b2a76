/** What a run consists of: phases one after the other, each of activities at the same time. A scenario file has the same form. */
import * as z from 'zod';
import { parseBytes, parseDuration, parsePause } from './quantities.ts';

const MOST = 1_000_000;
const count = z.int().min(1).max(MOST);
const rate = z.number().positive().max(MOST);
const quantity = <Value>(parse: (text: string) => Value, form: string) =>
  z.union([z.string(), z.number()]).transform((value, context) => {
    try {
      return parse(String(value));
    } catch {
      context.addIssue({ code: 'custom', message: `not ${form}` });
      return z.NEVER;
    }
  });
const duration = quantity(parseDuration, 'a time like 500ms, 10s, 5m or 2h');
const bytes = quantity(parseBytes, 'a size like 100, 4KiB or 1MiB');
const think = quantity(parsePause, 'a time like 500ms, or a range like 1s..5s');

export const CRYPTO_MODES = ['full', 'cached', 'none'] as const;
export type CryptoMode = (typeof CRYPTO_MODES)[number];

/** Either model: messages a second, or a number in flight for each conversation, with pauses in between. */
const model = {
  rate: rate.optional(),
  inFlight: count.optional(),
  think: think.optional(),
  size: bytes.default(256),
  crypto: z.enum(CRYPTO_MODES).default('cached'),
};
const oneModel = ({ rate, inFlight, think }: { rate?: unknown; inFlight?: unknown; think?: unknown }) =>
  rate === undefined || (inFlight === undefined && think === undefined);
const MODELS = 'rate is the open model, inFlight and think are the closed one: choose one of them';

export const ACTIVITIES = {
  /** Two people each, who write to each other. */
  chat: z.strictObject({ pairs: count.default(10), ...model }).refine(oneModel, MODELS),
  /** Each message goes to all other members, in one frame. */
  group: z
    .strictObject({ groups: count.default(1), members: z.int().min(2).max(1_000).default(10), ...model })
    .refine(oneModel, MODELS),
  /** Sockets that do nothing. */
  connect: z.strictObject({ devices: count.default(100) }),
  /** Sockets that break all at once and come back, as often as there is time, `every` apart. */
  storm: z.strictObject({ devices: count.default(100), every: duration.default(10_000) }),
  /** Bundles, with keys that are published before. */
  keys: z.strictObject({ devices: z.int().min(2).max(MOST).default(10), rate: rate.default(10) }),
  /** Each is uploaded, read back, compared and deleted. */
  files: z.strictObject({ devices: count.default(2), rate: rate.default(1), size: bytes.default(65_536) }),
} as const;

export type ActivityName = keyof typeof ACTIVITIES;
export type Settings<Name extends ActivityName> = z.output<(typeof ACTIVITIES)[Name]>;
export type Activity = { readonly [Name in ActivityName]: { readonly kind: Name } & Settings<Name> }[ActivityName];

const ActivityEntry = z
  .strictObject({
    chat: ACTIVITIES.chat.optional(),
    group: ACTIVITIES.group.optional(),
    connect: ACTIVITIES.connect.optional(),
    storm: ACTIVITIES.storm.optional(),
    keys: ACTIVITIES.keys.optional(),
    files: ACTIVITIES.files.optional(),
  })
  .refine((entry) => Object.keys(entry).length === 1, 'one activity an entry, like "- chat: { pairs: 10, rate: 50 }"')
  .transform((entry): Activity => {
    const [[kind, settings]] = Object.entries(entry) as [[ActivityName, object]];
    return { kind, ...settings } as Activity;
  });

export const Scenario = z.strictObject({
  phases: z
    .array(z.strictObject({ name: z.string().max(60), duration, run: z.array(ActivityEntry).min(1).max(20) }))
    .min(1)
    .max(100),
  failIf: z.array(z.string()).default([]),
});

export interface Phase {
  readonly name: string;
  readonly durationMs: number;
  readonly activities: readonly Activity[];
}

/** What a run of `count` equal parts gives to part `index`: as even as can be. */
export function shareOf(total: number, index: number, count: number): number {
  return Math.floor(((index + 1) * total) / count) - Math.floor((index * total) / count);
}
