/** The documents of the settings are the ones that the schema makes; UPDATE_GENERATED=1 writes them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { configTable, envExample, loadConfig, replaceSection } from '@sealwire/service/config';
import { apiSettings } from './settings.ts';

const page = new URL('../../../docs/operations/configuration.md', import.meta.url);
const example = new URL('../.env.example', import.meta.url);
const update = process.env.UPDATE_GENERATED === '1';

describe('generated documents', () => {
  it('the table of docs/operations/configuration.md', () => {
    const text = readFileSync(page, 'utf8');
    const expected = replaceSection(text, 'settings:api', configTable(apiSettings));
    if (update) writeFileSync(page, expected);
    else expect(text).toBe(expected);
  });

  it('.env.example', () => {
    if (update) writeFileSync(example, envExample(apiSettings));
    expect(readFileSync(example, 'utf8')).toBe(envExample(apiSettings));
  });
});

describe('K14: a start with what is in .env.example', () => {
  const env = Object.fromEntries(
    envExample(apiSettings)
      .split('\n')
      .filter((line) => /^[A-Z_]+=/.test(line))
      .map((line) => line.split('=', 2) as [string, string]),
  );
  const readFile = () => `${Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i)).toString('base64url')}\n`;

  it('has all that is demanded', () => {
    const loaded = loadConfig(apiSettings, { argv: [], env, readFile });
    expect(loaded).toMatchObject({ action: 'run', warnings: [], settings: { DOMAIN: 'example.org' } });
  });

  it.each(Object.keys(env))('without %s is refused with a line that names it', (key) => {
    const { [key]: _, ...rest } = env;
    const name = key.replace(/_FILE$/, '');
    expect(() => loadConfig(apiSettings, { argv: [], env: rest, readFile })).toThrow(
      new RegExp(`^${name}.* is not set — `),
    );
  });
});
