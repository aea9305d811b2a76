/**
 * Runs TypeScript sources with decorator metadata on plain Node, without a build step:
 *
 *   node --conditions=@sealwire/source --import ./infra/scripts/swc-loader.mjs apps/solo/src/main.ts
 *
 * The condition makes workspace packages resolve to their sources. Node's own type stripping and esbuild emit no decorator
 * metadata, which Nest's injection needs; swc does. Jest has the same options. Tests start hundreds of processes: what swc makes of a
 * source is kept under node_modules/.cache, by the hash of all that it is made from.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { SWC_OPTIONS } from './swc-options.mjs';

// Node evaluates this file twice: once by --import on the main thread, once as the hooks' module on a thread of its own.
if (isMainThread) register(import.meta.url);

const modules = fileURLToPath(new URL('../../node_modules/', import.meta.url));
const kept = join(modules, '.cache/sealwire-swc');
const { version } = JSON.parse(readFileSync(join(modules, '@swc/core/package.json'), 'utf8'));
// Node reads source maps on demand only, and half of each file would be its map.
const options = { ...SWC_OPTIONS, sourceMaps: false };
const maker = JSON.stringify([version, options]);

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  const filename = fileURLToPath(url);
  const source = readFileSync(filename, 'utf8');
  const hash = createHash('sha256').update(`${maker}\0${filename}\0${source}`).digest('hex');
  const file = join(kept, `${hash}.js`);
  return { format: 'module', source: read(file) ?? (await make(filename, source, file)), shortCircuit: true };
}

/** Of a thread of its own, so that nothing waits but the one who asked. */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** swc is a large library, and so it is loaded where something has to be made. */
async function make(filename, source, file) {
  const { transform } = await import('@swc/core');
  const { code } = await transform(source, { ...options, filename });
  keep(file, code);
  return code;
}

/** Whole or not at all; where nothing can be written it is made anew each time. */
function keep(file, code) {
  try {
    mkdirSync(kept, { recursive: true });
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, code);
    renameSync(draft, file);
  } catch {}
}
