/**
 * Where LIME keeps its state: records of opaque bytes under text keys. Synchronous, as the ratchet is: an application with asynchronous
 * storage loads all records first, hands them over as a map, and makes each `save` durable before any byte of its result leaves.
 */
export interface LimeChange {
  readonly key: string;
  /** Undefined deletes. */
  readonly value: Uint8Array | undefined;
}

export interface LimeStore {
  /**
   * Undefined when there is none. The bytes are not changed by the caller. A store that gives back the very array it was given is faster: the
   * decoded form, and with it native keys, hang on the array (decoded-record.ts).
   */
  load(key: string): Uint8Array | undefined;
  /** Keys that begin with `prefix`, in code-unit order. */
  keys(prefix: string): string[];
  /** All or none. Throws when it could not; then nothing has changed, and the caller's output must not leave. */
  save(changes: readonly LimeChange[]): void;
}
