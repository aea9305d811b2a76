import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { EXIT_CODES } from './errors.ts';

it('docs/operations/load.md has the exit codes of the program', () => {
  const page = readFileSync(new URL('../../../docs/operations/load.md', import.meta.url), 'utf8');
  for (const { code, meaning } of Object.values(EXIT_CODES)) expect(page).toContain(`| ${code} | ${meaning} |`);
});
