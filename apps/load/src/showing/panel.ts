/** What is going on, once a second: a panel that stays in its place on a terminal, lines anywhere else. */
import type { Writable } from 'node:stream';
import type { Collector, Row } from '../measuring/collector.ts';
import { time, whole } from './figures.ts';

const EVERY_MS = 1_000;
const CLEAR_LINE = '\x1b[2K';
/** Measures in the order of interest; the first that there is gets shown. */
const MEASURES = ['deliver', 'bundle', 'file', 'back', 'connect'];

export interface PanelTerms {
  readonly stream: Writable & { readonly isTTY?: boolean };
  readonly title: string;
  /** ms. */
  readonly now: () => number;
}

export class Panel {
  readonly #terms: PanelTerms;
  /** Lines that are on the terminal and will be written over. */
  #height = 0;
  #phase = '';
  #began: number;

  constructor(terms: PanelTerms) {
    this.#terms = terms;
    this.#began = terms.now();
  }

  /** A line that stays. */
  note(text: string): void {
    this.#erase();
    this.#terms.stream.write(`${text}\n`);
  }

  phase(name: string, state: 'connects' | 'begins' | 'over'): void {
    this.#phase = `${name} ${state}`;
    if (!this.#terms.stream.isTTY) this.note(this.#phase);
  }

  /** Shows `collector` until the answer is called. */
  watch(collector: Collector): () => void {
    this.#began = this.#terms.now();
    const timer = setInterval(() => this.#show(collector), EVERY_MS);
    return () => {
      clearInterval(timer);
      this.#erase();
    };
  }

  #show(collector: Collector): void {
    const row = collector.lastRow();
    if (!row) return;
    const told = [...levelsOf(row), ...flowsOf(row), ...timesOf(row)];
    const { stream, title, now } = this.#terms;
    const seconds = ((now() - this.#began) / 1_000).toFixed(0);
    if (!stream.isTTY) return void stream.write(`${seconds} s: ${told.join(', ') || 'nothing yet'}\n`);
    this.#erase();
    const lines = [
      `${title}, ${this.#phase}, ${seconds} s`,
      [...levelsOf(row), ...flowsOf(row)].join('   '),
      timesOf(row).join('   '),
      faultsOf(collector.counts).join('   '),
    ].filter(Boolean);
    stream.write(lines.map((line) => `${CLEAR_LINE}${line}\n`).join(''));
    this.#height = lines.length;
  }

  #erase(): void {
    if (this.#height > 0) this.#terms.stream.write(`\x1b[${this.#height}A\x1b[0J`);
    this.#height = 0;
  }
}

function levelsOf({ levels }: Row): string[] {
  return Object.entries(levels).map(([name, level]) => `${name} ${whole(level)}`);
}

function flowsOf({ counts }: Row): string[] {
  return Object.entries(counts)
    .filter(([name]) => !name.includes(' '))
    .map(([name, count]) => `${name} ${whole(count)}/s`);
}

function timesOf({ times }: Row): string[] {
  const name = MEASURES.find((measure) => times[measure]);
  const summary = name === undefined ? undefined : times[name];
  return summary ? [`${name} p50 ${time(summary.p50)}`, `p99 ${time(summary.p99)}`, `max ${time(summary.max)}`] : [];
}

function faultsOf(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts)
    .filter(([name]) => /^(refused|failed|linksLost|leftOut)/.test(name))
    .map(([name, count]) => `${name} ${whole(count)}`);
}
