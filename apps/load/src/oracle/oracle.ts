/**
 * Judges every message as it goes, in memory that does not grow with their number: each stream, from one device to another, is numbered
 * from 1. Lost, doubled, reordered and foreign mean what they mean to the drill (docs/adr/0045-a-load-tester-that-judges.md), which
 * keeps a whole history instead.
 */

export const OFFENCES = ['lost', 'doubled', 'reordered', 'foreign', 'notAccepted', 'keyTwice', 'damaged'] as const;
export type Offence = (typeof OFFENCES)[number];

const EXAMPLES = 20;
/** Of a mailbox: what a link that broke may leave unacknowledged is less (`LIMITS.windowMessages`). */
const REMEMBERED = 512;

export interface Verdict {
  readonly offences: Readonly<Record<Offence, number>>;
  /** The first ones, a line each. */
  readonly examples: readonly string[];
}

export class Offences {
  readonly #counts = Object.fromEntries(OFFENCES.map((offence) => [offence, 0])) as Record<Offence, number>;
  readonly #examples: string[] = [];

  add(offence: Offence, text: string): void {
    this.#counts[offence] += 1;
    if (this.#examples.length < EXAMPLES) this.#examples.push(`${offence}: ${text}`);
  }

  verdict(): Verdict {
    return { offences: { ...this.#counts }, examples: [...this.#examples] };
  }
}

/** Verdicts of several workers as one. */
export function together(verdicts: readonly Verdict[]): Verdict {
  const offences = Object.fromEntries(
    OFFENCES.map((offence) => [offence, verdicts.reduce((sum, verdict) => sum + verdict.offences[offence], 0)]),
  ) as Record<Offence, number>;
  return { offences, examples: verdicts.flatMap(({ examples }) => examples).slice(0, EXAMPLES) };
}

/** What one device receives of one other. */
export class Stream {
  #newest = 0;
  /** Numbers below the newest that have not come. */
  readonly #missing = new Set<number>();
  /** Numbers above the newest that will not come. */
  readonly #excused = new Set<number>();
  readonly #name: string;
  readonly #offences: Offences;

  constructor(name: string, offences: Offences) {
    this.#name = name;
    this.#offences = offences;
  }

  /** Message `number` has come. Answers whether it is a first arrival. */
  received(number: number): boolean {
    if (number > this.#newest) {
      for (let skipped = this.#newest + 1; skipped < number; skipped++)
        if (!this.#excused.delete(skipped)) this.#missing.add(skipped);
      this.#newest = number;
      return true;
    }
    if (this.#missing.delete(number)) {
      this.#offences.add('reordered', `message ${number} of ${this.#name} came after ${this.#newest}`);
      return true;
    }
    this.#offences.add('doubled', `message ${number} of ${this.#name}`);
    return false;
  }

  /** What has come so far: up to `newest`, without `missing`. */
  record(): { readonly newest: number; readonly missing: readonly number[] } {
    return { newest: this.#newest, missing: [...this.#missing] };
  }

  /** The server has refused message `number`, or had no room for it: it does not come. */
  excuse(number: number): void {
    if (number > this.#newest) this.#excused.add(number);
    else this.#missing.delete(number);
  }
}

/** The numbers of one device's mailbox (relay-protocol.md section 4): they grow on each link, and repeats keep theirs. */
export class Mailbox {
  #newestOfLink = 0;
  readonly #known = new Map<number, string>();
  readonly #name: string;
  readonly #offences: Offences;

  constructor(name: string, offences: Offences) {
    this.#name = name;
    this.#offences = offences;
  }

  linked(): void {
    this.#newestOfLink = 0;
  }

  /** Answers whether the message is to be judged: false for a repeat after a link whose acknowledgements were lost. */
  delivered(seq: number, message: string): boolean {
    if (seq <= this.#newestOfLink)
      this.#offences.add('reordered', `number ${seq} of the mailbox of ${this.#name} after ${this.#newestOfLink}`);
    this.#newestOfLink = Math.max(seq, this.#newestOfLink);
    const before = this.#known.get(seq);
    this.#known.set(seq, message);
    this.#known.delete(seq - REMEMBERED);
    if (before !== undefined && before !== message)
      this.#offences.add('foreign', `number ${seq} of the mailbox of ${this.#name} was another message`);
    return before !== message;
  }
}
