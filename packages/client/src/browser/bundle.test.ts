/**
 * What a page loads of the SDK: nothing that needs Node, and no more than is stated in
 * docs/install.md.
 */
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type BuildResult, build } from 'esbuild';

const GZIP_KILOBYTES = 200;
const DOORS = ['client', 'sealed-storage', 'browser/indexed-db-storage', 'browser/persistence', 'browser/runtime'];

let result: BuildResult<{ write: false; metafile: true }>;

beforeAll(async () => {
  const lines = DOORS.map((door, n) => `import * as door${n} from '@sealwire/client/${door}';`);
  const names = DOORS.map((_, n) => `door${n}`);
  result = await build({
    stdin: {
      contents: `${lines.join('\n')}\nconsole.log(${names.join(', ')});`,
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['@sealwire/source'],
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
});

describe('the bundle for a page', () => {
  it('needs nothing of Node: no built-in, no driver', () => {
    const inputs = Object.keys(result.metafile.inputs);
    expect(inputs.some((name) => name.endsWith('src/browser/indexed-db-storage.ts'))).toBe(true);
    expect(inputs.filter((name) => /\/src\/node\/|node_modules\/(ws|lmdb)\//.test(name))).toEqual([]);
    const external = Object.values(result.metafile.inputs)
      .flatMap(({ imports }) => imports)
      .filter(({ path, external }) => external || path.startsWith('node:') || builtinModules.includes(path));
    expect(external).toEqual([]);
    expect(result.warnings).toEqual([]);
  });

  it('is below its stated size', () => {
    const kilobytes = gzipSync(result.outputFiles[0]!.contents).length / 1_000;
    expect(kilobytes).toBeLessThan(GZIP_KILOBYTES);
    // A bound that nobody comes near to is none.
    expect(kilobytes).toBeGreaterThan(GZIP_KILOBYTES * 0.8);
    const stated = readFileSync(fileURLToPath(new URL('../../../../docs/install.md', import.meta.url)), 'utf8');
    expect(stated).toContain(`below ${GZIP_KILOBYTES} KB`);
  });
});
