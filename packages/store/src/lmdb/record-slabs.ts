/**
 * Memory for the records of the journal, used again and again: a record lives until it is settled, too long for the garbage of the young
 * and too much for the old (at fifty thousand messages a second the collector would run through all memory several times a second).
 */

/** A few batches of the relay; what is larger gets memory of its own. */
const SLAB_BYTES = 2 << 20;
/** Kept when nobody uses them. */
const MOST_FREE = 4;

interface Slab {
  readonly bytes: Buffer;
  used: number;
  /** Records in it that are not released. */
  live: number;
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
    slab.used += length;
    slab.live++;
    return bytes;
  }

  /** Nobody reads `record`, which is or begins an allocation, any more. What is not from here does not matter. */
  release(record: Buffer): void {
    const slab = this.#slabs.get(record.buffer);
    if (!slab || --slab.live > 0) return;
    slab.used = 0;
    if (slab !== this.#current && this.#free.length < MOST_FREE) this.#free.push(slab);
  }

  #make(): Slab {
    const slab = { bytes: Buffer.allocUnsafeSlow(SLAB_BYTES), used: 0, live: 0 };
    this.#slabs.set(slab.bytes.buffer, slab);
    return slab;
  }
}
