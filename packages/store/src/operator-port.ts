/**
 * What operators decide and do, as the store keeps it: their decisions (`OperatorRecords`) and the trail of what they did (`AuditTrail`).
 * Both are opaque texts here; `operator.ts` has those that several servers read.
 */

/**
 * `standing`: what was decided about an account, by its address, which outlives the account. `invitation`: one that was made, by its
 * number. `token`: who may administer over the network, by its id. `notice`: what is told to everybody. `domain`: one that is blocked.
 * `maintenance`: one record, without a key. `day`: figures of a day.
 */
export type OperatorRecordKind = 'standing' | 'invitation' | 'token' | 'notice' | 'domain' | 'maintenance' | 'day';

export interface OperatorRecord {
  /** Unique within its kind. At most 512 bytes, without zero bytes. */
  readonly key: string;
  /** Grows with each change. */
  readonly version: number;
  readonly text: string;
}

/** Each record is an aggregate. */
export interface OperatorRecords {
  /** In the order of `keys`; undefined where there is none. */
  read(kind: OperatorRecordKind, keys: readonly string[]): Promise<(OperatorRecord | undefined)[]>;
  /** Keys above `after` (empty: all), ascending by their UTF-8 bytes, at most `limit`. */
  list(kind: OperatorRecordKind, after: string, limit: number): Promise<OperatorRecord[]>;
  /**
   * Puts `record` in the place of the one whose version is `after`, 0: of none. `conflict` when it is another one's, or the new version
   * is not above it; the very same record as is there changes nothing.
   */
  replace(kind: OperatorRecordKind, after: number, record: OperatorRecord): Promise<void>;
  /** Idempotent. */
  remove(kind: OperatorRecordKind, key: string): Promise<void>;
}

export interface AuditEntry {
  /** ms since 1970, of the server that wrote it. */
  readonly at: number;
  /** 16 hexadecimal digits, random. */
  readonly id: string;
  readonly text: string;
}

/** Grows and never changes: there is no call that takes anything away. */
export interface AuditTrail {
  /** The same entry again changes nothing; `conflict` for another text under its time and id. */
  append(entry: AuditEntry): Promise<void>;
  /** Newest first, those before `before` (undefined: all), at most `limit`. Of one time by their ids. */
  read(before: Pick<AuditEntry, 'at' | 'id'> | undefined, limit: number): Promise<AuditEntry[]>;
}
