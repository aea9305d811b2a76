/** What the documents claim about the tree is true: links lead somewhere, file names exist, named tests exist. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('../../../', import.meta.url));

function filesBelow(folder: string, accept: (name: string) => boolean): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name.startsWith('.')) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path, accept);
    return accept(entry.name) ? [path] : [];
  });
}

const documents = filesBelow(root, (name) => name.endsWith('.md'));
/** What holds a line: tests, contract suites, and the layer rules, which the test command runs too. */
const testSources = [
  ...filesBelow(root, (name) => name.endsWith('.test.ts') || name === 'contract.ts'),
  ...filesBelow(join(root, 'packages/store/src/contract'), () => true),
  ...filesBelow(join(root, 'packages/testkit/src/real-linphone'), () => true),
  join(root, '.dependency-cruiser.cjs'),
]
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

describe.each(documents.map((file) => [relative(root, file), file]))('%s', (_name, file) => {
  const text = readFileSync(file, 'utf8');

  it('links to files that exist', () => {
    const broken = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
      .map(([, target]) => target!)
      .filter((target) => !existsSync(join(dirname(file), target)));
    expect(broken).toEqual([]);
  });

  it('names source files that exist', () => {
    const missing = [...text.matchAll(/`((?:apps|packages|infra|docs)\/[\w./-]+\.(?:ts|mjs|md|json|proto))`/g)]
      .map(([, path]) => path!)
      .filter((path) => !existsSync(join(root, path)));
    expect(missing).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  it('names every folder at the top', () => {
    const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
    const ignored = readFileSync(join(root, '.gitignore'), 'utf8').split('\n');
    const folders = readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .filter((name) => !ignored.some((pattern) => pattern.replaceAll('/', '') === name));
    expect(folders.filter((name) => !text.includes(`\`${name}\``) && !text.includes(`\`${name}/`))).toEqual([]);
    expect(folders).toContain('interop');
  });
});

describe('docs/threat-model.md', () => {
  const rows = readFileSync(join(root, 'docs/threat-model.md'), 'utf8')
    .split('\n')
    .filter((line) => /^\| T\d+ /.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));

  it('has rows', () => expect(rows.length).toBeGreaterThan(20));

  it.each(rows.map((cells) => [cells[1]!, cells.at(-2)!]))('%s names tests that exist', (_row, tests) => {
    const named = [...tests.matchAll(/`([^`]+)`/g)].map(([, title]) => title!);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((title) => !testSources.includes(title))).toEqual([]);
  });
});

describe('docs/testing.md', () => {
  const [, section = ''] = readFileSync(join(root, 'docs/testing.md'), 'utf8').split(/^## .*guards.*$/im);
  const rows = section
    .split(/^## /m)[0]!
    .split('\n')
    .filter((line) => /^\| .*`/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));

  it('has rows', () => expect(rows.length).toBeGreaterThan(15));

  it.each(rows.map((cells) => [cells[1]!, cells.at(-2)!]))('%s: the test named exists', (_guard, tests) => {
    const named = [...tests.matchAll(/`([^`]+)`/g)].map(([, title]) => title!);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((title) => !testSources.includes(title))).toEqual([]);
  });
});
