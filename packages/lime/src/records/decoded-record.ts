/**
 * The decoded value of a record, kept on the very array that a store holds: another array (another writer, a failed save) is decoded afresh,
 * so this cannot disagree with a store, and it goes when the record goes. It keeps key arrays, and with them the provider's native keys,
 * alive from message to message, also when a Lime is made anew for each transaction.
 *
 * A WeakMap would say the same; two new entries a message cost it 5 us of garbage collection.
 */
const DECODED = Symbol('decoded');

interface DecodedRecord extends Uint8Array {
  [DECODED]?: object;
}

export function decodedValue(record: DecodedRecord): object | undefined {
  return record[DECODED];
}

/** Gives back `value`. */
export function keepDecoded<T extends object>(record: DecodedRecord, value: T): T {
  record[DECODED] = value;
  return value;
}
