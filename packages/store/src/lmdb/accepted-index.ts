/**
 * Where to look for a message id: a hash table in memory from 32 bits of the id to the number of the record that may hold it. It may
 * answer with a record that does not (1 in 250 at sixteen million ids), never without one that does.
 *
 * 16 bytes a remembered message, in tables of at most a megaslot, so that growing never stops the process for long.
 */

const FIRST_SLOTS = 1 << 12;
const MOST_SLOTS = 1 << 20;
const NO_RECORDS: readonly number[] = [];

interface Table {
  /** Pairs: fingerprint (0: free), low 32 bits of the record number. Open addressing, half full at most. */
  pairs: Uint32Array;
  used: number;
  newest: number;
}

export class AcceptedIndex {
  /** Keys of the fingerprint, one for each 16 bits of an id. */
  readonly #keys: Uint32Array;
  #tables: Table[] = [];
  /** Records below this are gone. */
  #first = 0;

  /**
   * `seed`: 32 random bytes. Senders choose message ids, and must not be able to choose colliding ones: the fingerprint is multilinear
   * over 16-bit words with secret keys, so any two ids collide with a probability of at most 2^-16.
   */
  constructor(seed: Uint8Array) {
    const view = new DataView(seed.buffer, seed.byteOffset, 32);
    this.#keys = Uint32Array.from({ length: 8 }, (_, i) => view.getUint32(4 * i) | 1);
  }

  /** `id` has 16 bytes, of which `offset` is the first. */
  fingerprint(id: Uint8Array, offset = 0): number {
    const keys = this.#keys;
    let sum = 0;
    for (let i = 0; i < 8; i++) {
      const word = ((id[offset + 2 * i] as number) << 8) | (id[offset + 2 * i + 1] as number);
      sum = (sum + Math.imul(word, keys[i] as number)) | 0;
    }
    // A bijection that spreads the high bits over the low ones, which choose the slot.
    sum = Math.imul(sum ^ (sum >>> 16), 0x45d9f3b);
    sum = (sum ^ (sum >>> 16)) >>> 0;
    return sum || 1;
  }

  add(fingerprint: number, record: number): void {
    let table = this.#tables.at(-1);
    if (!table || (table.used * 4 >= MOST_SLOTS * 2 && table.pairs.length === MOST_SLOTS * 2)) {
      table = { pairs: new Uint32Array(FIRST_SLOTS * 2), used: 0, newest: record };
      this.#tables.push(table);
    }
    if (table.used * 4 >= table.pairs.length) grow(table);
    insert(table, fingerprint, record);
    table.newest = record;
  }

  /** Numbers of the records that may hold an id with this fingerprint. */
  records(fingerprint: number): readonly number[] {
    let found: number[] | undefined;
    for (const { pairs } of this.#tables) {
      const mask = pairs.length - 1;
      for (let at = (fingerprint << 1) & mask; pairs[at] !== 0; at = (at + 2) & mask) {
        if (pairs[at] !== fingerprint) continue;
        found ??= [];
        found.push(this.#first + (((pairs[at + 1] as number) - this.#first) >>> 0));
      }
    }
    return found ?? NO_RECORDS;
  }

  /** Records below `first` are gone. Their entries stay until the youngest of their table is gone too. */
  forgetBelow(first: number): void {
    this.#first = first;
    this.#tables = this.#tables.filter(({ newest }) => newest >= first);
  }
}

function insert(table: Table, fingerprint: number, record: number): void {
  const { pairs } = table;
  const mask = pairs.length - 1;
  let at = (fingerprint << 1) & mask;
  while (pairs[at] !== 0) at = (at + 2) & mask;
  pairs[at] = fingerprint;
  pairs[at + 1] = record;
  table.used++;
}

function grow(table: Table): void {
  const { pairs } = table;
  table.pairs = new Uint32Array(pairs.length * 2);
  table.used = 0;
  for (let at = 0; at < pairs.length; at += 2)
    if (pairs[at] !== 0) insert(table, pairs[at] as number, pairs[at + 1] as number);
}
