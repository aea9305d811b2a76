/** How many tests a suite registers: what docs/interop.md says of it is held against this. */
import type { it } from '@jest/globals';
import type { Suite } from './suite.ts';

type Run = (...values: never[]) => Promise<void> | void;

export class Tally {
  readonly counts: Record<string, number> = {};

  /** `register`, counting for `suite`. */
  of(suite: string, register: Suite['it']): Suite['it'] {
    const count = (more: number) => {
      this.counts[suite] = (this.counts[suite] ?? 0) + more;
    };
    const one = (title: string, run: Run) => {
      count(1);
      register(title, run as () => Promise<void>);
    };
    const each = (table: readonly unknown[]) => (title: string, run: Run) => {
      count(table.length);
      register.each(table as readonly never[])(title, run as () => Promise<void>);
    };
    return Object.assign(one, { each }) as unknown as typeof it;
  }
}
