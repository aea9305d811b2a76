/** The SDK's core runs in browsers: no Node built-in outside src/node, in no file that a browser would load. */

import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

const source = fileURLToPath(new URL('.', import.meta.url));
const core = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !/^(node|testing)\//.test(name),
);

it('finds the core', () => {
  expect(core).toContain('client.ts');
  expect(core).toContain('storage/ledger.ts');
});

it.each(core)('%s imports no Node built-in, no driver and nothing of src/node', (name) => {
  const text = readFileSync(`${source}${name}`, 'utf8');
  const imported = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, module]) => module!);
  const foreign = imported.filter(
    (module) =>
      module.startsWith('node:') ||
      builtinModules.includes(module) ||
      /^[./]+\/node\//.test(module) ||
      ['ws', 'lmdb'].includes(module),
  );
  expect(foreign).toEqual([]);
  expect(text).not.toMatch(/\b(?:Buffer\.[a-z]|process\.[a-z]|setImmediate\(|__dirname)/);
});
