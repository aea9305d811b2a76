/** What operators decide and do, in memory. */
import { byBytes, isAbove } from '../key-order.ts';
import type { AuditTrail, OperatorRecordKind, OperatorRecords } from '../port.ts';
import { StoreError } from '../port.ts';
import { auditKey, mayReplaceText } from '../sameness.ts';
import type { MemoryState } from './state.ts';

export function memoryOperatorRecords({ operatorRecords }: MemoryState): OperatorRecords {
  return {
    async read(kind, keys) {
      return keys.map((key) => operatorRecords.get(placeOf(kind, key)));
    },

    async list(kind, after, limit) {
      const prefix = placeOf(kind, '');
      const places = [...operatorRecords.keys()].filter((place) => place.startsWith(prefix)).sort(byBytes);
      const above = places.filter((place) => isAbove(place, placeOf(kind, after)));
      return above.slice(0, limit).map((place) => operatorRecords.get(place)!);
    },

    async replace(kind, after, { key, version, text }) {
      const place = placeOf(kind, key);
      const record = { key, version, text };
      if (mayReplaceText(operatorRecords.get(place), after, record)) operatorRecords.set(place, record);
    },

    async remove(kind, key) {
      operatorRecords.delete(placeOf(kind, key));
    },
  };
}

export function memoryAuditTrail({ audit }: MemoryState): AuditTrail {
  return {
    async append({ at, id, text }) {
      const key = auditKey({ at, id });
      const known = audit.get(key);
      if (known && known.text !== text) throw new StoreError('conflict', 'another entry has that time and id');
      audit.set(key, { at, id, text });
    },

    async read(before, limit) {
      const end = before && auditKey(before);
      const keys = [...audit.keys()].filter((key) => end === undefined || isAbove(end, key)).sort(byBytes);
      const newest = keys.reverse().slice(0, limit);
      return newest.map((key) => audit.get(key)!);
    },
  };
}

function placeOf(kind: OperatorRecordKind, key: string): string {
  return `${kind} ${key}`;
}
