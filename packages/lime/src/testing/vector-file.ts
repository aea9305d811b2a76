/** A file of test vectors, read so that no value can be forgotten: every leaf is marked when a test uses it. */
import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { hex } from '../bytes/hex.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export class VectorFile {
  readonly #open = new Set<string>();
  readonly root: VectorNode;
  readonly leaves: number;

  constructor(url: URL) {
    const json = JSON.parse(readFileSync(url, 'utf8')) as Json;
    for (const path of leafPaths(json, '')) this.#open.add(path);
    this.leaves = this.#open.size;
    this.root = new VectorNode(json, '', (path) => this.#open.delete(path));
  }

  /** Paths of the values that no test has looked at. */
  unused(): string[] {
    return [...this.#open];
  }
}

export class VectorNode {
  constructor(
    private readonly value: Json,
    private readonly path: string,
    private readonly mark: (path: string) => void,
  ) {}

  has(key: string): boolean {
    return Object.hasOwn(this.value as object, key);
  }

  node(key: string): VectorNode {
    return new VectorNode(this.#get(key), `${this.path}/${key}`, this.mark);
  }

  list(key: string): VectorNode[] {
    const node = this.node(key);
    const items = node.value as Json[];
    node.mark(node.path);
    return items.map((_, i) => node.node(String(i)));
  }

  /** An input of the test, or a name. */
  text(key: string): string {
    this.mark(`${this.path}/${key}`);
    return this.#get(key) as string;
  }

  number(key: string): number {
    this.mark(`${this.path}/${key}`);
    return this.#get(key) as number;
  }

  bytes(key: string): Uint8Array {
    return fromHex(this.text(key));
  }

  isNull(key: string): boolean {
    return this.#get(key) === null;
  }

  /** An expected value: bytes are compared as hex. */
  check(key: string, actual: Uint8Array | number | string | boolean | null): void {
    const path = `${this.path}/${key}`;
    this.mark(path);
    const shown = actual !== null && typeof actual === 'object' ? hex(actual) : actual;
    expect({ [path]: shown }).toEqual({ [path]: this.#get(key) });
  }

  #get(key: string): Json {
    const found = (this.value as { [key: string]: Json })[key];
    if (found === undefined) throw new Error(`no ${this.path}/${key} in the vectors`);
    return found;
  }
}

export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** An empty list or object is a leaf too: that it is empty is a claim. */
function leafPaths(value: Json, path: string): string[] {
  if (value === null || typeof value !== 'object') return [path];
  const entries = Object.entries(value);
  return entries.length === 0 ? [path] : entries.flatMap(([key, child]) => leafPaths(child, `${path}/${key}`));
}
