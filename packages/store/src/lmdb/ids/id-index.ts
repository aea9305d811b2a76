/**
 * Where to look for a message id: a hash table in memory from 32 bits of the id to the number of
 * the record that may hold it. It may answer with a record that does not (1 in 250 at sixteen
 * million ids), never without one that does.
 *
 * In 2,048 parts, each a table of its own: the high bits of the fingerprint choose the table, the
 * low bits a slot in it. So a look-up touches one place in memory however many ids there are, and
 * growing moves one table at a time, a fifth of a millisecond at ten million.
 *
 * Memory: 11 to 22 bytes a message as long as nothing is forgotten, then 16 to 32 a remembered
 * message. The forgotten leave a table when it is full; one to which nothing is added keeps them.
 */

const TABLES = 1 << 11;
/** Bits of a fingerprint below those that choose the table. */
const TABLE_SHIFT = 21;
const FIRST_SLOTS = 1 << 4;
/**
 * Stands for each table that has no entries yet. Its one slot counts as full, so that it is never
 * written to.
 */
const NO_TABLE = new Int32Array(2);
const NO_RECORDS: readonly number[] = [];

export class IdIndex {
  /** Keys of the fingerprint, one for each 16 bits of an id. */
  readonly #keys: Uint32Array;
  /**
   * Pairs: fingerprint (0: free), low 32 bits of the record number. Open addressing, a power of two
   * of slots, three quarters full at most. Signed, as fingerprints are, because V8 allocates
   * numbers from 2^31 up.
   */
  readonly #tables = new Array<Int32Array>(TABLES).fill(NO_TABLE);
  /** Of each table, the slots that are not free. */
  readonly #used = new Int32Array(TABLES);
  /** Records below this are gone. */
  #first = 0;
  #newest = -1;
  /** Of no meaning. Public, because a compiler leaves out what nobody can read. */
  fetched = 0;

  /**
   * `seed`: 32 random bytes. Senders choose message ids, and must not be able to choose colliding
   * ones: the fingerprint is multilinear over 16-bit words with secret keys, so any two ids collide
   * with a probability of at most 2^-16.
   */
  constructor(seed: Uint8Array) {
    const view = new DataView(seed.buffer, seed.byteOffset, 32);
    this.#keys = Uint32Array.from({ length: 8 }, (_, i) => view.getUint32(4 * i) | 1);
  }

  /** Signed 32 bits, never 0. `id` has 16 bytes, of which `offset` is the first. */
  fingerprint(id: Uint8Array, offset = 0): number {
    const keys = this.#keys;
    let sum = 0;
    for (let i = 0; i < 8; i++) {
      const word = ((id[offset + 2 * i] as number) << 8) | (id[offset + 2 * i + 1] as number);
      sum = (sum + Math.imul(word, keys[i] as number)) | 0;
    }
    // A bijection that mixes all bits into the low ones, which choose the slot, and the high ones,
    // which choose the table.
    sum = Math.imul(sum ^ (sum >>> 16), 0x45d9f3b);
    sum ^= sum >>> 16;
    return sum || 1;
  }

  add(fingerprint: number, record: number): void {
    if (record > this.#newest) this.#newest = record;
    const table = fingerprint >>> TABLE_SHIFT;
    let pairs = this.#tables[table] as Int32Array;
    const used = this.#used[table] as number;
    // Three quarters of the slots are three eighths of the numbers.
    if ((used + 1) * 8 > pairs.length * 3) pairs = this.#rebuild(table);
    if (insert(pairs, fingerprint, record | 0)) this.#used[table] = (this.#used[table] as number) + 1;
  }

  /**
   * Fetches what `records` and `add` will want of these. A look-up alone waits a third of a
   * microsecond for memory; here the processor waits for many at once.
   */
  prefetch(fingerprints: readonly number[]): void {
    let sum = 0;
    for (let i = 0; i < fingerprints.length; i++) {
      const fingerprint = fingerprints[i] as number;
      const pairs = this.#tables[fingerprint >>> TABLE_SHIFT] as Int32Array;
      sum ^= pairs[(fingerprint << 1) & (pairs.length - 1)] as number;
    }
    this.fetched = sum;
  }

  /** Numbers of the records that may hold an id with this fingerprint. */
  records(fingerprint: number): readonly number[] {
    const pairs = this.#tables[fingerprint >>> TABLE_SHIFT] as Int32Array;
    const mask = pairs.length - 1;
    let found: number[] | undefined;
    for (let at = (fingerprint << 1) & mask; pairs[at] !== 0; at = (at + 2) & mask) {
      if (pairs[at] !== fingerprint) continue;
      const record = this.#recordOf(pairs[at + 1] as number);
      if (record > this.#newest) continue;
      found ??= [];
      found.push(record);
    }
    return found ?? NO_RECORDS;
  }

  /** Records below `first` are gone. */
  forgetBelow(first: number): void {
    this.#first = Math.max(this.#first, first);
  }

  /** Slots of each table there is, 8 bytes each. */
  sizes(): number[] {
    return this.#tables.filter((pairs) => pairs !== NO_TABLE).map((pairs) => pairs.length / 2);
  }

  /**
   * The record number from `#first` up that has these low 32 bits. That of a record that is gone
   * lies beyond the newest, by which it is known. Right for all that is remembered as long as that
   * is no more than 2^32 records, fifty thousand a second for a day. Where a record that is gone is
   * still in its table after 2^32 younger ones, it passes for one of these: a false answer, no
   * missing one.
   */
  #recordOf(low: number): number {
    return this.#first + ((low - this.#first) >>> 0);
  }

  /**
   * Leaves out what is gone, and makes the table as large as the rest needs to fill a quarter to
   * half of it.
   */
  #rebuild(table: number): Int32Array {
    const old = this.#tables[table] as Int32Array;
    let kept = 0;
    for (let at = 0; at < old.length; at += 2) if (this.#isKept(old, at)) kept++;
    let slots = FIRST_SLOTS;
    while (slots < kept * 2) slots *= 2;
    const pairs = new Int32Array(slots * 2);
    for (let at = 0; at < old.length; at += 2)
      if (this.#isKept(old, at)) insert(pairs, old[at] as number, old[at + 1] as number);
    this.#tables[table] = pairs;
    this.#used[table] = kept;
    return pairs;
  }

  #isKept(pairs: Int32Array, at: number): boolean {
    return pairs[at] !== 0 && this.#recordOf(pairs[at + 1] as number) <= this.#newest;
  }
}

/**
 * False when the pair is there already: a message of a commit that failed comes again, under the
 * same number.
 */
function insert(pairs: Int32Array, fingerprint: number, low: number): boolean {
  const mask = pairs.length - 1;
  let at = (fingerprint << 1) & mask;
  for (; pairs[at] !== 0; at = (at + 2) & mask) if (pairs[at] === fingerprint && pairs[at + 1] === low) return false;
  pairs[at] = fingerprint;
  pairs[at + 1] = low;
  return true;
}
