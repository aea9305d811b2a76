import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { directoryDescription, openApiText } from './description.ts';
import { type Fixture, startFixture } from './testing/fixture.ts';

const VERSION = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version as string;
const { operations } = directoryDescription(VERSION);

let fixture: Fixture;
beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.close());

describe('the description', () => {
  it('is the committed one', async () => {
    const committed = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8'));
    expect(JSON.parse(openApiText(VERSION))).toEqual(committed);
    expect((await fixture.json('GET', '/directory/openapi.json')).json).toEqual(committed);
  });

  it('names every route of the controllers', () => {
    const routes = ['manifests/manifests', 'keys/keys', 'foreign/peer-key', 'openapi'].flatMap((name) => {
      const text = readFileSync(new URL(`./${name}.controller.ts`, import.meta.url), 'utf8');
      const prefix = /@Controller\('([^']*)'\)/.exec(text)![1]!;
      return [...text.matchAll(/@(Get|Post|Put|Delete|Patch)\((?:'([^']*)')?\)/g)].map(([, method, path = '']) =>
        `${method!.toLowerCase()} /${[prefix, path].filter(Boolean).join('/')}`.replace(':name', '{name}'),
      );
    });
    expect(routes.sort()).toEqual(operations.map(({ method, path }) => `${method} ${path}`).sort());
  });

  it('other paths and methods are 404 problems', async () => {
    for (const [method, path] of [
      ['GET', '/directory'],
      ['DELETE', '/directory/manifests/alice'],
      ['GET', '/limes'],
      ['GET', '/directory/manifests/%ff'],
    ] as const) {
      const { status, headers, json } = await fixture.json(method, path);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(json.status).toBe(status);
    }
  });
});
