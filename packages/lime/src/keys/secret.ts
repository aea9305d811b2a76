/**
 * Bytes that must not reach a log. They sit in a private field, so that `util.inspect`, `JSON.stringify`, template strings and
 * structured clones show the type's name and nothing else. `reveal` is the one way in, and easy to search for.
 */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

export abstract class Secret {
  /** Printed instead of the bytes; a literal in each subclass, so that two kinds of secret are two types. */
  abstract get kind(): string;

  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The bytes themselves, not a copy: providers cache native keys under the array's identity. Not to be changed. */
  reveal(): Uint8Array {
    return this.#bytes;
  }

  /** Overwrites the bytes. Best effort: the runtime may have copied them before. */
  wipe(): void {
    this.#bytes.fill(0);
  }

  toString(): string {
    return `[${this.kind}]`;
  }

  toJSON(): string {
    return `[${this.kind}]`;
  }

  [INSPECT](): string {
    return `[${this.kind}]`;
  }
}
