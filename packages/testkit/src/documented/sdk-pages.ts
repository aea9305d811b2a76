/** The pages of docs/sdk as programs: all `ts` snippets of a page, one after the other, and what their comments say that they print. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../faults/source-process.ts';

export interface SdkPage {
  readonly name: string;
  readonly program: string;
  /** A line for each call of `console.log`. */
  readonly prints: readonly string[];
}

export function sdkPages(): SdkPage[] {
  const folder = join(root, 'docs/sdk');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .sort()
    .map((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      const program = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code).join('\n');
      // A comment below, that stands as far to the right, goes on with what a loop prints next.
      const prints = [...program.matchAll(/(?:console\.log\(.*\)\)?; \/\/ (.+)$)|(?:^ +\/\/ {20,}(.+)$)/gm)];
      return { name, program, prints: prints.map(([, first, next]) => (first ?? next)!) };
    });
}
