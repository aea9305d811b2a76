/**
 * The audit trail: who ordered what, when, about whom, and what became of it. Nothing that was said by users, and no secret. An order that
 * changes something is written down before it begins: there is no change without a trace, also when the process dies in the middle.
 */
import type { RandomBytes } from '@sealwire/crypto/port';
import type { AuditEntry, Store } from '@sealwire/store/port';
import { z } from 'zod';
import { type Actor, type AdminOperation, operation } from './operation.ts';

const ID_BYTES = 8;
/** How many entries one call looks at, when most of them are somebody else's. */
const SCANNED = 2_000;
const PAGE = 200;

export interface TrailDeps {
  readonly store: Pick<Store, 'auditTrail'>;
  readonly random: RandomBytes;
  readonly now: () => number;
}

/** `begun`: it is under way, or the server died. `refused`: the role was not enough. */
export type Outcome = 'begun' | 'done' | 'failed' | 'refused';

export interface TrailLine {
  /** The same on all lines of one order. */
  readonly order: string;
  readonly who: string;
  readonly role: Actor['role'];
  readonly what: string;
  readonly about?: string | undefined;
  readonly outcome: Outcome;
  /** Of the error table. */
  readonly code?: string;
}

export function newOrder(random: RandomBytes): string {
  return Buffer.from(random(ID_BYTES)).toString('hex');
}

export async function writeTrail({ store, random, now }: TrailDeps, line: TrailLine): Promise<void> {
  const id = Buffer.from(random(ID_BYTES)).toString('hex');
  await store.auditTrail.append({ at: now(), id, text: JSON.stringify(line) });
}

export function trailOperations({ store }: TrailDeps): readonly AdminOperation[] {
  const cursor = z.string().regex(/^\d{1,15}-[0-9a-f]{16}$/, 'the `next` of the page before');
  return [
    operation('audit', {
      needs: 'operator',
      body: z.strictObject({
        before: cursor.optional(),
        limit: z.int().min(1).max(PAGE),
        about: z.string().max(512).optional(),
        who: z.string().max(64).optional(),
      }),
      async run({ before, limit, about, who }) {
        const entries: object[] = [];
        let last = before === undefined ? undefined : placeOf(before);
        let seen = 0;
        let isEnd = false;
        while (entries.length < limit && seen < SCANNED && !isEnd) {
          const page = await store.auditTrail.read(last, PAGE);
          isEnd = page.length < PAGE;
          for (const entry of page) {
            seen++;
            last = entry;
            const line = JSON.parse(entry.text) as TrailLine;
            if (about !== undefined && !(line.about ?? '').includes(about)) continue;
            if (who !== undefined && !line.who.includes(who)) continue;
            entries.push({ at: entry.at, ...line });
            if (entries.length === limit) break;
          }
        }
        const next = last && !(isEnd && entries.length < limit) ? { next: `${last.at}-${last.id}` } : {};
        return { entries, ...next };
      },
    }),
  ];
}

function placeOf(cursor: string): Pick<AuditEntry, 'at' | 'id'> {
  const [at = '', id = ''] = cursor.split('-');
  return { at: Number(at), id };
}
