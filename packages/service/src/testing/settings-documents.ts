/** For the tests of each server: the documents of its settings are the ones that its schema makes, and a start with the example works (case K14). */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { loadConfig, type Settings } from '../boot/config.ts';
import { configTable, envExample } from './settings-text.ts';

const PAGE = new URL('../../../../docs/operations/configuration.md', import.meta.url);
/** Where a secret is demanded: 32 bytes that differ. */
const SECRET = `${Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i)).toString('base64url')}\n`;

/**
 * `server` is the section of docs/operations/configuration.md, `settingsTest` the test's `import.meta.url`: `.env.example` lies in the
 * folder above. UPDATE_GENERATED=1 writes both.
 */
export function describeSettingsDocuments(server: string, schema: Settings, settingsTest: string): void {
  const example = new URL('../.env.example', settingsTest);
  const update = process.env.UPDATE_GENERATED === '1';

  describe('generated documents', () => {
    it('the table of docs/operations/configuration.md', () => {
      const text = readFileSync(PAGE, 'utf8');
      const expected = replaceSection(text, `settings:${server}`, configTable(schema));
      if (update) writeFileSync(PAGE, expected);
      else expect(text).toBe(expected);
    });

    it('.env.example', () => {
      if (update) writeFileSync(example, envExample(schema));
      expect(readFileSync(example, 'utf8')).toBe(envExample(schema));
    });
  });

  describe('K14: a start with what is in .env.example', () => {
    const env = Object.fromEntries(
      envExample(schema)
        .split('\n')
        .filter((line) => /^[A-Z_]+=/.test(line))
        .map((line) => line.split('=', 2) as [string, string]),
    );
    const load = (given: Record<string, string>) =>
      loadConfig(schema, { argv: [], env: given, readFile: () => SECRET });

    it('has all that is demanded', () => {
      expect(load(env)).toMatchObject({ action: 'run', warnings: [] });
    });

    it('without any one of them is refused with a line that names it', () => {
      for (const key of Object.keys(env)) {
        const { [key]: _, ...rest } = env;
        expect(() => load(rest)).toThrow(new RegExp(`^${key.replace(/_FILE$/, '')}.* is not set — `));
      }
    });
  });
}

/** `text` with what stands between `<!-- name -->` and `<!-- /name -->` replaced by `content`. */
export function replaceSection(text: string, name: string, content: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = text.indexOf(open);
  const to = text.indexOf(close);
  if (from < 0 || to < from) throw new Error(`the text has no section ${name}`);
  return `${text.slice(0, from + open.length)}\n${content}\n${text.slice(to)}`;
}
