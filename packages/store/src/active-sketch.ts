/**
 * How many different things were seen, without knowing which: HyperLogLog (Flajolet, Fusy, Gandouet, Meunier, 2007), 2,048 registers, about
 * 2.3 % off; small counts by linear counting, nearly exact. Sketches of several nodes merge.
 */
const BITS = 11;
const REGISTERS = 1 << BITS;
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);

export class ActiveSketch {
  readonly #registers: Uint8Array;

  constructor(registers: Uint8Array = new Uint8Array(REGISTERS)) {
    this.#registers = registers;
  }

  /** Of `toText`. */
  static of(text: string): ActiveSketch {
    const registers = new Uint8Array(Buffer.from(text, 'base64'));
    return new ActiveSketch(registers.length === REGISTERS ? registers : undefined);
  }

  toText(): string {
    return Buffer.from(this.#registers).toString('base64');
  }

  /** `hash`: at least 8 bytes that are as good as random. */
  add(hash: Uint8Array): void {
    const view = new DataView(hash.buffer, hash.byteOffset, 8);
    const register = view.getUint32(0) >>> (32 - BITS);
    const rank = Math.clz32(view.getUint32(4)) + 1;
    if (rank > this.#registers[register]!) this.#registers[register] = rank;
  }

  merge(other: ActiveSketch): void {
    for (const [i, rank] of other.#registers.entries()) if (rank > this.#registers[i]!) this.#registers[i] = rank;
  }

  count(): number {
    let [sum, empty] = [0, 0];
    for (const rank of this.#registers) {
      sum += 2 ** -rank;
      if (rank === 0) empty++;
    }
    const raw = (ALPHA * REGISTERS * REGISTERS) / sum;
    return Math.round(raw <= 2.5 * REGISTERS && empty > 0 ? REGISTERS * Math.log(REGISTERS / empty) : raw);
  }
}
