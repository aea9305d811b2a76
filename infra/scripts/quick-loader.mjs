/**
 * As swc-loader.mjs, for the processes that tests start, hundreds of them: a program comes as few modules, because one for each source
 * costs most of what it takes to start (a server: 5.1 s of CPU, 1.0 s so). Where a source has changed it is made anew.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { register } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { hashOf, javascriptOf, keep, kept, keptIn, MAKER } from './swc-cache.mjs';

if (isMainThread) register(import.meta.url);

/** Packages that find files beside their own: they are imported from where they lie. */
const LEFT =
  /^(tslib|lmdb|ws|msgpackr|@node-rs\/argon2|argon2|pino|thread-stream|mongoose|mongodb|@aws-sdk\/.*|@smithy\/.*)(\/|$)/;
const OLD_MS = 60 * 60 * 1000;
const own = fileURLToPath(import.meta.url);
let isFirst = true;

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  const filename = fileURLToPath(url);
  // What a program imports by a path that it makes up is a module of its own.
  const isProgram = isFirst;
  isFirst = false;
  const source = isProgram ? await programOf(filename) : await javascriptOf(filename);
  return { format: 'module', source, shortCircuit: true };
}

const stateOf = (file) => {
  const { mtimeMs, size } = statSync(file, { throwIfNoEntry: false }) ?? {};
  return [file, mtimeMs, size];
};

/** A module that is the whole program. */
async function programOf(main) {
  const name = hashOf(`${MAKER}\0program\0${main}`);
  const before = JSON.parse(kept(`${name}.json`) ?? 'null');
  const isFresh = before?.states.every((state) => `${state}` === `${stateOf(state[0])}`);
  const folder = isFresh ? before.folder : await bundle(main, name);
  return `import ${JSON.stringify(pathToFileURL(join(folder, 'main.js')).href)};`;
}

async function bundle(main, name) {
  const { build } = await import('esbuild');
  // Others may be reading what was made before.
  const folder = mkdtempSync(join(keptIn(), `${name}-`));
  const { metafile } = await build({
    entryPoints: { main },
    outdir: folder,
    bundle: true,
    // What a program imports when it needs it stays apart.
    splitting: true,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    keepNames: true,
    // CommonJS that is taken in asks for what is not.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
    conditions: ['@sealwire/source'],
    absWorkingDir: '/',
    plugins: [SOURCES],
    logLevel: 'silent',
  });
  const states = [...Object.keys(metafile.inputs).map((path) => `/${path}`), own, join(folder, 'main.js')].map(stateOf);
  keep(`${name}.json`, JSON.stringify({ folder, states }));
  removeOld(name);
  return folder;
}

/** Of what nobody has started for long; a process that runs may still import a part of what it was started with. */
function removeOld(name) {
  for (const other of readdirSync(keptIn()).filter((entry) => entry.startsWith(`${name}-`))) {
    const path = join(keptIn(), other);
    if (Date.now() - statSync(path).mtimeMs > OLD_MS) rmSync(path, { recursive: true, force: true });
  }
}

const SOURCES = {
  name: 'sources',
  setup(builder) {
    builder.onResolve({ filter: /^[^./]/ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (pluginData === 'found' || kind === 'entry-point' || path.startsWith('@sealwire/')) return undefined;
      const found = await builder.resolve(path, { kind, resolveDir, pluginData: 'found' });
      // One that is not installed is missed when it is asked for.
      if (found.errors.length > 0) return { path, external: true };
      if (!found.path.startsWith('/') || !LEFT.test(path)) return found;
      return { path: kind === 'require-call' ? found.path : pathToFileURL(found.path).href, external: true };
    });
    builder.onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: (await javascriptOf(path)).replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
      loader: 'js',
    }));
  },
};
