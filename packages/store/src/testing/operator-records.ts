/** For tests of stores that move: a record of each kind that operators have, figures of days, and a trail of several pages' worth of order. */
import { ActiveSketch } from '../active-sketch.ts';
import { NOW } from '../contract/fixture.ts';
import { writeDay } from '../day-figures.ts';
import type { OperatorRecordKind } from '../operator-port.ts';
import type { AuditEntry, Store } from '../port.ts';

const KINDS: readonly OperatorRecordKind[] = [
  'standing',
  'invitation',
  'token',
  'notice',
  'domain',
  'maintenance',
  'day',
];
const ENTRIES = 5;

const entry = (at: number, id: number): AuditEntry => ({
  at: NOW + at,
  id: id.toString(16).padStart(16, '0'),
  text: JSON.stringify({ order: `${at}`, who: 'machine', what: 'accounts disable' }),
});

export async function keepOperatorRecords(store: Store): Promise<void> {
  for (const [i, kind] of KINDS.entries())
    if (kind !== 'day')
      for (const key of [`${kind}-a`, `${kind}-b`]) {
        await store.operatorRecords.replace(kind, 0, { key, version: i + 1, text: `text of ${key}` });
        await store.operatorRecords.replace(kind, i + 1, { key, version: i + 2, text: `later text of ${key}` });
      }
  await writeDay(
    store,
    '2026-11-29',
    'run',
    { messages: 7, deliveries: 9, errors: 1, delays: [3, 4] },
    new ActiveSketch(),
  );
  // Two at one time, and not in their order.
  for (let n = 0; n < ENTRIES; n++) await store.auditTrail.append(entry(n % 2, ENTRIES - n));
}

/** All that anybody can read of them. */
export async function operatorRecordsOf(store: Store) {
  return {
    records: await Promise.all(KINDS.map((kind) => store.operatorRecords.list(kind, '', 100))),
    trail: await store.auditTrail.read(undefined, 100),
  };
}
