/**
 * TypeScript through swc, and what it makes kept under node_modules/.cache by the hash of all that it is made from: the same sources are
 * asked for by hundreds of processes. Only a whole file is ever seen; where nothing can be written, all is made anew each time.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SWC_OPTIONS } from './swc-options.mjs';

const modules = fileURLToPath(new URL('../../node_modules/', import.meta.url));
const folder = join(modules, '.cache/sealwire-swc');
const { version } = JSON.parse(readFileSync(join(modules, '@swc/core/package.json'), 'utf8'));
// Node reads source maps on demand only, and half of each file would be its map.
const options = { ...SWC_OPTIONS, sourceMaps: false };
/** Of all that is made here. */
export const MAKER = JSON.stringify([version, options]);

export const hashOf = (text) => createHash('sha256').update(text).digest('hex');

/** Made where it is not there. */
export function keptIn() {
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Undefined: nothing is kept under this name. */
export function kept(name) {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    return undefined;
  }
}

export function keep(name, text) {
  try {
    const draft = join(keptIn(), `${name}.${process.pid}`);
    writeFileSync(draft, text);
    renameSync(draft, join(folder, name));
  } catch {}
}

/** The JavaScript of one source. */
export async function javascriptOf(filename) {
  const source = readFileSync(filename, 'utf8');
  const name = `${hashOf(`${MAKER}\0${filename}\0${source}`)}.js`;
  const before = kept(name);
  if (before !== undefined) return before;
  // A large library, loaded where something has to be made.
  const { transform } = await import('@swc/core');
  const { code } = await transform(source, { ...options, filename });
  keep(name, code);
  return code;
}
