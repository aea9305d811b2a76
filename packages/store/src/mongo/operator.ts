/** What operators decide and do: a document each. A record is replaced only where it still is what the caller saw; an entry never is. */
import type { AuditEntry, AuditTrail, OperatorRecord, OperatorRecordKind, OperatorRecords } from '../port.ts';
import { StoreError } from '../port.ts';
import { auditKey, mayReplaceText } from '../sameness.ts';
import type { AuditDocument, OperatorRecordDocument } from './documents.ts';
import { isDuplicate } from './engine.ts';
import type { Ground } from './ground.ts';

/** Behind every key of a kind: no UTF-8 has it after a space. */
const AFTER_SPACE = '!';
/** Of the time in `auditKey`. */
const TIME_DIGITS = 12;

export function mongoOperatorRecords({ engine, documents: { operatorRecords } }: Ground): OperatorRecords {
  const find = async (kind: OperatorRecordKind, key: string) => {
    const found = await engine.read(() => operatorRecords.findOne({ _id: operatorRecordId(kind, key) }));
    return found ? recordOf(kind, found) : undefined;
  };
  return {
    async read(kind, keys) {
      const ids = keys.map((key) => operatorRecordId(kind, key));
      const found = await engine.read(() => operatorRecords.find({ _id: { $in: ids } }).toArray());
      const there = new Map(found.map((one) => [one._id, recordOf(kind, one)]));
      return ids.map((id) => there.get(id));
    },

    async list(kind, after, limit) {
      // Keys are never empty but for the one of maintenance, which nobody lists.
      const _id = { $gt: operatorRecordId(kind, after), $lt: `${kind}${AFTER_SPACE}` };
      const found = await engine.read(() => operatorRecords.find({ _id }).sort({ _id: 1 }).limit(limit).toArray());
      return found.map((one) => recordOf(kind, one));
    },

    async replace(kind, after, record) {
      const { key, version, text } = record;
      const _id = operatorRecordId(kind, key);
      if (!mayReplaceText(await find(kind, key), after, record)) return;
      try {
        const { matchedCount, upsertedCount } = await engine.write(() =>
          operatorRecords.updateOne({ _id, version: after }, { $set: { version, text } }, { upsert: after === 0 }),
        );
        if (matchedCount + upsertedCount === 1) return;
      } catch (error) {
        if (!isDuplicate(error)) throw error;
      }
      // Somebody was faster, or an attempt of this call whose answer was lost.
      if (mayReplaceText(await find(kind, key), after, record)) throw new StoreError('conflict', 'the record has gone');
    },

    async remove(kind, key) {
      await engine.write(() => operatorRecords.deleteOne({ _id: operatorRecordId(kind, key) }));
    },
  };
}

export function mongoAuditTrail({ engine, documents: { auditTrail } }: Ground): AuditTrail {
  return {
    async append({ at, id, text }) {
      const _id = auditKey({ at, id });
      try {
        await engine.write(() => auditTrail.insertOne({ _id, text }));
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        // By another call, or by an attempt of this one whose answer was lost.
        const known = await engine.read(() => auditTrail.findOne({ _id }));
        if (known?.text !== text) throw new StoreError('conflict', 'another entry has that time and id');
      }
    },

    async read(before, limit) {
      const older = before ? { _id: { $lt: auditKey(before) } } : {};
      const found = await engine.read(() => auditTrail.find(older).sort({ _id: -1 }).limit(limit).toArray());
      return found.map(entryOf);
    },
  };
}

export function operatorRecordId(kind: OperatorRecordKind, key: string): string {
  return `${kind} ${key}`;
}

function recordOf(kind: OperatorRecordKind, { _id, version, text }: OperatorRecordDocument): OperatorRecord {
  return { key: _id.slice(kind.length + 1), version, text };
}

function entryOf({ _id, text }: AuditDocument): AuditEntry {
  return { at: Number.parseInt(_id.slice(0, TIME_DIGITS), 16), id: _id.slice(TIME_DIGITS), text };
}
