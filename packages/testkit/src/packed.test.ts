/**
 * What `npm run pack` makes, in an empty folder outside the repository: the command line, and the program of docs/install.md. Packages of
 * others are those that the repository has installed, so that no registry is asked.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { sdkPages } from './documented/sdk-pages.ts';
import { ServerProcess } from './faults/server-process.ts';

jest.setTimeout(240_000);

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sealwire-packed-'));
const modules = join(folder, 'empty/node_modules');
let tarballs: string[];

beforeAll(() => {
  const packed = join(folder, 'packed');
  execFileSync(process.execPath, [join(root, 'infra/scripts/pack.mjs'), packed], { cwd: root, stdio: 'pipe' });
  tarballs = readdirSync(packed).map((name) => join(packed, name));
  mkdirSync(join(modules, '@sealwire'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')).filter((each) => each !== '@sealwire'))
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  for (const tarball of tarballs) {
    const into = join(modules, '@sealwire', /sealwire-([a-z]+)-[^/\\]*$/.exec(tarball)![1]!);
    mkdirSync(into);
    execFileSync('tar', ['xzf', tarball, '-C', into, '--strip-components=1']);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) =>
  execFileSync(process.execPath, args, {
    cwd: join(folder, 'empty'),
    encoding: 'utf8',
    stdio: 'pipe',
    env: { HOME: folder, PATH: '' },
  });
const sealwire = (...args: string[]) => run('node_modules/@sealwire/cli/bin/sealwire.mjs', ...args);

describe('the tarballs', () => {
  it('hold built files, a README, and no tests, sources or build state', () => {
    expect(tarballs).toHaveLength(9);
    for (const tarball of tarballs) {
      const names = execFileSync('tar', ['tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
      expect(names).toContain('package/README.md');
      expect(names.filter((name) => /\.test\.|\/testing\/|tsbuildinfo|\/src\//.test(name))).toEqual([]);
      expect(names.some((name) => /^package\/dist\/.*\.js$/.test(name))).toBe(true);
    }
  });

  it('have every file that their packages export, but for those of tests', () => {
    for (const name of readdirSync(join(modules, '@sealwire'))) {
      const at = join(modules, '@sealwire', name);
      const { exports = {} } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as {
        exports?: Record<string, { types: string; default: string }>;
      };
      const missing = Object.entries(exports)
        .filter(([door]) => !door.startsWith('./testing/'))
        .flatMap(([, { types, default: code }]) => [types, code])
        .filter((file) => !existsSync(join(at, file)));
      expect([name, missing]).toEqual([name, []]);
    }
  });

  it.each([
    ['node16', { module: 'node16', moduleResolution: 'node16' }],
    ['bundler', { module: 'esnext', moduleResolution: 'bundler' }],
  ])(
    'have types that a strict project with moduleResolution %s compiles against: the pages of docs/sdk',
    (name, how) => {
      const project = join(folder, 'empty', name);
      mkdirSync(project);
      writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
      const given = [
        "import type { Client } from '@sealwire/client/client';",
        'declare global {',
        '  const server: string;',
      ];
      given.push('  function device(name: string): Promise<Client>;', '}');
      writeFileSync(join(project, 'given.d.ts'), given.join('\n'));
      // A page without an import is a module, too.
      for (const page of sdkPages()) writeFileSync(join(project, `${page.name}.ts`), `${page.program}\nexport {};\n`);
      const options = {
        ...how,
        target: 'es2022',
        lib: ['es2022', 'esnext.disposable'],
        types: ['node'],
        strict: true,
        noEmit: true,
      };
      const compilerOptions = { ...options, skipLibCheck: false };
      writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
      const { stdout, status } = spawnSync(
        process.execPath,
        [join(root, 'node_modules/typescript/bin/tsc'), '-p', project],
        {
          encoding: 'utf8',
        },
      );
      expect([stdout, status]).toEqual(['', 0]);
    },
  );

  it('run: the command line, and the program of docs/install.md', async () => {
    expect(sealwire('version')).toBe('0.1.0\n');
    const program = /```js\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs/install.md'), 'utf8'))![1]!;
    expect(program.trim().split('\n').length).toBeLessThanOrEqual(30);
    writeFileSync(join(folder, 'empty/echo.mjs'), program);

    const server = await ServerProcess.on(join(folder, 'data'));
    await server.start();
    const echo = spawn(process.execPath, ['echo.mjs', server.origin], { cwd: join(folder, 'empty') });
    try {
      for await (const said of echo.stdout) if (String(said).includes('sip:echo@localhost is here')) break;
      sealwire('register', '-u', 'alice', '-s', server.origin, '--no-passphrase');
      sealwire('send', '-u', 'alice', '-t', 'echo', '-m', 'is anybody there?');
      expect(sealwire('listen', '-u', 'alice', '--count', '1')).toBe('echo: is anybody there?\n');
    } finally {
      echo.kill();
      await once(echo, 'exit');
      await server.stop();
    }
  });
});
