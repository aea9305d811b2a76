/**
 * How costs grow with a store: filled in steps of ten up to a million accounts and ten million waiting messages, and at each step
 * measured beside a small one in the same process, by turns.
 *
 *   npm run bench:growth -w packages/store
 *   npm run bench:growth -w packages/store -- --accounts=100000 --minutes=5 --folder=/var/tmp/growth --svg=growth.svg
 *   npm run bench:growth -w packages/store -- --accounts=10000 --store=mongodb://HOST/DATABASE --watch=gateway:PID --watch=database:PID
 *
 * `--minutes`: no step begins filling after it. With `--store` two databases of that name are filled, and left full.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { systemRandom } from '@sealwire/crypto/random';
import { openStore } from '../src/open.ts';
import { type Measured, OPERATIONS, ratioOf } from './growth/measured.ts';
import { growthSvg } from './growth/plot.ts';
import { addAccounts, addMessages } from './growth/population.ts';

const SMALL_ACCOUNTS = 1_000;
const MESSAGES_EACH = 10;
const MIB = 1_048_576;

const option = (name: string) => process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const most = Number(option('accounts') ?? 1_000_000);
const minutes = Number(option('minutes') ?? 15);
const server = option('store');
const parent = option('folder') ?? tmpdir();
const folder = server === undefined ? mkdtempSync(join(parent, 'sealwire-growth-')) : undefined;
const rounds = server === undefined ? 4 : 3;
const run = Buffer.from(systemRandom(3)).toString('hex');
const urlOf = (name: string) => (folder === undefined ? `${server}${name}${run}` : `lmdb:${join(folder, name)}`);
const watches = process.argv.filter((arg) => arg.startsWith('--watch='));

const began = performance.now();
await fill(urlOf('small'), 0, SMALL_ACCOUNTS);
console.log(
  `beside a store of ${SMALL_ACCOUNTS} accounts, ${MESSAGES_EACH} messages of 300 bytes waiting for each, as in the large one\n`,
);
const steps: { accounts: number; measured: Measured }[] = [];
let filled = 0;
for (let accounts = SMALL_ACCOUNTS; accounts <= most; accounts *= 10) {
  if (performance.now() - began > minutes * 60_000) {
    console.log(`the ${minutes} minutes are over before ${accounts} accounts`);
    break;
  }
  const from = performance.now();
  const cpu = process.cpuUsage();
  await fill(urlOf('large'), filled, accounts);
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    `${accounts} accounts, ${accounts * MESSAGES_EACH} messages: filled in ${seconds(performance.now() - from)}, ${seconds((user + system) / 1e3)} CPU; load ${loadavg()[0]?.toFixed(1)}`,
  );
  filled = accounts;
  const measured = measure(accounts);
  steps.push({ accounts, measured });
  tell(measured);
}
const svg = option('svg');
if (svg !== undefined)
  writeFileSync(svg, growthSvg(steps, `CPU of an operation, to a store of ${SMALL_ACCOUNTS} accounts`));
if (folder !== undefined) rmSync(folder, { recursive: true });

/** And closes it: whoever opens it next finds it at rest. */
async function fill(url: string, from: number, to: number): Promise<void> {
  const store = await openStore(url, { production: false });
  await addAccounts(store, from, to);
  await addMessages(store, from, to, MESSAGES_EACH);
  await store.close();
}

function measure(accounts: number): Measured {
  const entry = fileURLToPath(new URL('./growth/measure.ts', import.meta.url));
  const terms = [urlOf('large'), accounts, urlOf('small'), SMALL_ACCOUNTS, rounds].map(String);
  const said = execFileSync(process.execPath, [...process.execArgv, entry, ...terms, ...watches], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(said) as Measured;
}

function tell(measured: Measured): void {
  const { startMs, startCpuMs, memory, costs, small } = measured;
  console.log(
    `  opened in ${startMs.toFixed(0)} ms, ${startCpuMs.toFixed(0)} ms CPU; memory ${mib(memory.opened)} opened, ${mib(memory.used)} after the rounds${folder === undefined ? '' : `; disk ${(bytesIn(join(folder, 'large')) / MIB).toFixed(0)} MiB`}`,
  );
  for (const operation of OPERATIONS)
    console.log(
      `  ${operation.padEnd(13)} ${us(costs[operation].cpuUs)} CPU, ${us(costs[operation].wallUs)} wall; small ${us(small[operation].cpuUs)}, ${us(small[operation].wallUs)}; ratio ${ratioOf(measured, operation).toFixed(2)}`,
    );
}

function bytesIn(path: string): number {
  // Blocks: a file may have holes.
  return readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).blocks * 512, 0);
}

function mib({ own, mapped }: { own: number; mapped: number }): string {
  return `${own.toFixed(0)} + ${mapped.toFixed(0)} MiB mapped`;
}

function us(value: number): string {
  return `${value.toFixed(1).padStart(7)} µs`;
}

function seconds(ms: number): string {
  return `${(ms / 1e3).toFixed(0)} s`;
}
