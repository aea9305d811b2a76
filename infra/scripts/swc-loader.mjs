/**
 * Runs TypeScript sources with decorator metadata on plain Node, without a build step:
 *
 *   node --conditions=@sealwire/source --import ./infra/scripts/swc-loader.mjs apps/solo/src/main.ts
 *
 * The condition makes workspace packages resolve to their sources. Node's own type stripping and esbuild emit no decorator
 * metadata, which Nest's injection needs; swc does. Jest has the same options.
 */
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { javascriptOf } from './swc-cache.mjs';

// Node evaluates this file twice: once by --import on the main thread, once as the hooks' module on a thread of its own.
if (isMainThread) register(import.meta.url);

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  return { format: 'module', source: await javascriptOf(fileURLToPath(url)), shortCircuit: true };
}
