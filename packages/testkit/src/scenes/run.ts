/**
 * `npm run scenarios -- --url=https://chat.example.org`: plays the scenarios of `packages/testkit/scenarios` against a deployment, whose
 * gate must be open; each run has accounts of its own, which stay there. Exit code 0 only if all went as they are written.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { systemRandom } from '@sealwire/crypto/random';
import { newRun } from './cast.ts';
import { play } from './play.ts';

const PATIENCE_MS = 30_000;
const folder = new URL('../../scenarios/', import.meta.url);
const all = readdirSync(folder).map((file) => file.replace('.txt', ''));

const { values } = parseArgs({ options: { url: { type: 'string' }, only: { type: 'string' } } });
if (!values.url || !URL.canParse(values.url)) {
  console.error('say where: npm run scenarios -- --url=http://localhost:8080');
  process.exit(2);
}
const wanted = values.only?.split(',') ?? all;
const unknown = wanted.find((name) => !all.includes(name));
if (unknown !== undefined) {
  console.error(`there is no scenario ${unknown}: take one of ${all.join(', ')}`);
  process.exit(2);
}

const { origin } = new URL(values.url);
for (const name of wanted) {
  const start = performance.now();
  try {
    const script = readFileSync(new URL(`${name}.txt`, folder), 'utf8');
    await play(script, { origin, patience: PATIENCE_MS, run: newRun(systemRandom) });
    console.log(`${name}: as written, in ${Math.round(performance.now() - start)} ms`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`${name}: ${(error as Error).message}`);
  }
}
