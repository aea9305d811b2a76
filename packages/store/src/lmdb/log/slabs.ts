/**
 * Memory for the parts of commit records, used again and again: a part lives until its checkpoint,
 * too long for the garbage of the young and too much for the old (at fifty thousand messages a
 * second the collector would run through all memory several times a second).
 */

/** A few batches of the relay; what is larger gets memory of its own. */
const SLAB_BYTES = 2 << 20;
/** Kept when nobody uses them: as many as a transaction of LMDB may set free at once. */
const MOST_FREE = 16;

interface Slab {
  readonly bytes: Buffer;
  used: number;
  /** Where those begin that are not released. */
  readonly live: Set<number>;
}

export class RecordSlabs {
  #current: Slab | undefined;
  readonly #free: Slab[] = [];
  readonly #slabs = new WeakMap<ArrayBufferLike, Slab>();

  /** `length` bytes, whatever is in them, until they are released. */
  allocate(length: number): Buffer {
    if (length > SLAB_BYTES) return Buffer.allocUnsafeSlow(length);
    let slab = this.#current;
    if (!slab || slab.used + length > SLAB_BYTES) {
      slab = this.#free.pop() ?? this.#make();
      this.#current = slab;
    }
    const bytes = slab.bytes.subarray(slab.used, slab.used + length);
    // Of one byte at least: a record is known by where it begins.
    slab.used += Math.max(length, 1);
    slab.live.add(bytes.byteOffset);
    return bytes;
  }

  /**
   * Nobody reads `record`, which is or begins an allocation, any more. What is not from here, or is
   * released, does not matter.
   */
  release(record: Buffer): void {
    const slab = this.#slabs.get(record.buffer);
    if (!slab?.live.delete(record.byteOffset) || slab.live.size > 0) return;
    slab.used = 0;
    if (slab !== this.#current && this.#free.length < MOST_FREE) this.#free.push(slab);
  }

  #make(): Slab {
    const slab = { bytes: Buffer.allocUnsafeSlow(SLAB_BYTES), used: 0, live: new Set<number>() };
    this.#slabs.set(slab.bytes.buffer, slab);
    return slab;
  }
}
