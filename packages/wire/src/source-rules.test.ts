import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';

const folder = new URL('.', import.meta.url);
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
);

it('there are sources to look at', () => expect(sources.length).toBeGreaterThan(15));

it.each(sources)('%s runs in a browser: nothing of Node, no clock, no randomness', (name) => {
  const code = readFileSync(new URL(name, folder), 'utf8');
  expect(code).not.toMatch(/from 'node:|\bBuffer\.|\bprocess\.|\bDate\.now\b|\bMath\.random\b|\bgetRandomValues\b/);
});
