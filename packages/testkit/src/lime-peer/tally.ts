/** How many tests a suite registers: what docs/interop.md says of it is held against this. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
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

const INTEROP = fileURLToPath(new URL('../../../../docs/interop.md', import.meta.url));

/** The section of docs/interop.md with this number: its text, and what its table says of each suite. */
export function reportOf(section: number): { readonly text: string; readonly rows: readonly [string, number][] } {
  const text = readFileSync(INTEROP, 'utf8')
    .split(/^(?=## )/m)
    .find((each) => each.startsWith(`## ${section}. `))!;
  const rows = [...text.matchAll(/^\| `([a-z-]+)` \|.*\| (\d+) \|$/gm)];
  return { text, rows: rows.map(([, name, count]) => [name!, Number(count)]) };
}
