/** What operators decide and do, in LMDB: one record each. */
import type { AuditEntry, AuditTrail, OperatorRecord, OperatorRecordKind, OperatorRecords } from '../port.ts';
import { StoreError } from '../port.ts';
import { auditKey, mayReplaceText } from '../sameness.ts';
import type { Databases, Environment } from './environment.ts';
import { endOf } from './records/keys.ts';
import { RecordReader, RecordWriter } from './records/record.ts';
import type { Writer } from './writer.ts';

/** The first key behind `key`. */
const BEHIND = Buffer.of(0);
/** Of the time in `auditKey`. */
const TIME_DIGITS = 12;

export interface NamedOperatorRecord extends OperatorRecord {
  readonly kind: OperatorRecordKind;
}

export function lmdbOperatorRecords({ databases, renew }: Environment, writer: Writer): OperatorRecords {
  const { operatorrecords } = databases;
  const find = (kind: OperatorRecordKind, key: string) => {
    const bytes = operatorrecords.getBinary(placeOf(kind, key));
    return bytes && decode(key, bytes);
  };
  return {
    async read(kind, keys) {
      renew();
      return keys.map((key) => find(kind, key));
    },

    async list(kind, after, limit) {
      renew();
      const prefix = placeOf(kind, '');
      const start = Buffer.concat([placeOf(kind, after), ...(after === '' ? [] : [BEHIND])]);
      const range = operatorrecords.getRange({ start, end: endOf(prefix), limit });
      return [...range].map(({ key, value }) => decode(key.subarray(prefix.length).toString(), value));
    },

    async replace(kind, after, { key, version, text }) {
      await writer.run(() => {
        if (!mayReplaceText(find(kind, key), after, { key, version, text })) return;
        operatorrecords.putSync(placeOf(kind, key), new RecordWriter().number(version).text(text).finish());
      });
    },

    async remove(kind, key) {
      await writer.run(() => void operatorrecords.removeSync(placeOf(kind, key)));
    },
  };
}

export function lmdbAuditTrail({ databases: { audittrail }, renew }: Environment, writer: Writer): AuditTrail {
  return {
    async append({ at, id, text }) {
      const key = Buffer.from(auditKey({ at, id }));
      await writer.run(() => {
        const known = audittrail.getBinary(key);
        if (known && entryOf(key, known).text !== text)
          throw new StoreError('conflict', 'another entry has that time and id');
        audittrail.putSync(key, new RecordWriter().text(text).finish());
      });
    },

    async read(before, limit) {
      renew();
      // From behind the last one, or from the one that is known, which is left out.
      const start = before ? Buffer.from(auditKey(before)) : Buffer.of(0xff);
      const range = audittrail.getRange({ start, reverse: true, limit: limit + 1 });
      const entries = [...range].filter(({ key }) => Buffer.compare(key, start) < 0);
      return entries.slice(0, limit).map(({ key, value }) => entryOf(key, value));
    },
  };
}

export function* allOperatorRecords({ operatorrecords }: Databases): Generator<NamedOperatorRecord> {
  for (const { key, value } of operatorrecords.getRange({})) {
    const end = key.indexOf(0);
    yield {
      kind: key.subarray(0, end).toString() as OperatorRecordKind,
      ...decode(key.subarray(end + 1).toString(), value),
    };
  }
}

export function* allAuditEntries({ audittrail }: Databases): Generator<AuditEntry> {
  for (const { key, value } of audittrail.getRange({})) yield entryOf(key, value);
}

function decode(key: string, bytes: Buffer): OperatorRecord {
  const reader = new RecordReader(bytes);
  const record = { key, version: reader.number(), text: reader.text() };
  reader.end();
  return record;
}

function entryOf(key: Buffer, bytes: Buffer): AuditEntry {
  const reader = new RecordReader(bytes);
  const text = reader.text();
  reader.end();
  const name = key.toString();
  return { at: Number.parseInt(name.slice(0, TIME_DIGITS), 16), id: name.slice(TIME_DIGITS), text };
}

function placeOf(kind: OperatorRecordKind, key: string): Buffer {
  return Buffer.from(`${kind}\0${key}`);
}
