import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { CLOSE_CODES, ERRORS } from './errors.ts';
import { LIME_ERRORS } from './lime-server.ts';
import { LIMITS } from './limits.ts';

const page = (name: string) => readFileSync(new URL(`../../../docs/spec/${name}`, import.meta.url), 'utf8');

/** A table as the page must have it: what is expected is printed whole when it differs, to be pasted. */
function table(head: string, rows: readonly string[]): string {
  return [head, head.replace(/[^|]+/g, ' --- '), ...rows, ''].join('\n');
}

describe('the tables of the specification are those of the code', () => {
  it('limits', () => {
    const rows = Object.entries(LIMITS).map(
      ([name, { value, unit, why }]) => `| \`${name}\` | ${value} | ${unit} | ${why} |`,
    );
    expect(page('relay-protocol.md')).toContain(table('| name | value | unit | why |', rows));
  });

  it('close codes', () => {
    const rows = Object.entries(CLOSE_CODES).map(
      ([code, { name, action, text }]) => `| ${code} | \`${name}\` | ${action} | ${text} |`,
    );
    expect(page('relay-protocol.md')).toContain(table('| code | name | client | meaning |', rows));
  });

  it('errors', () => {
    const rows = Object.entries(ERRORS).map(
      ([code, { status, retryable, title }]) => `| \`${code}\` | ${status} | ${retryable ? 'yes' : 'no'} | ${title} |`,
    );
    expect(page('relay-protocol.md')).toContain(table('| code | HTTP | retry | meaning |', rows));
  });

  it('errors of the LIME key server', () => {
    for (const [name, code] of Object.entries(LIME_ERRORS))
      expect(page('lime-key-server.md')).toContain(`| \`${code.toString(16).padStart(2, '0')}\` | \`${name}\` |`);
  });
});
