/**
 * A process that measures one store beside a small one, in turns: `measure.ts URL ACCOUNTS SMALL-URL SMALL-ACCOUNTS ROUNDS [--watch=…]`.
 * Writes a `Measured` as JSON. Of its own, so that what starting takes and how much memory there is are the store's.
 */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { openStore } from '../../src/open.ts';
import type { Acknowledgement, Store } from '../../src/port.ts';
import { processorTime, watchedOf } from '../processor-time.ts';
import { type Cost, type Measured, type Memory, OPERATIONS, type Operation } from './measured.ts';
import { append, deviceOf, limits, mailsTo, ONE_TIME_KEYS, oneTimeKeys } from './population.ts';

/** Messages of a batch, each to another mailbox. */
const BATCH = 200;
/** People with traffic in one turn. */
const ACTIVE = 1_000;
/** Calls that wait together. */
const AT_ONCE = 16;
const MIB = 1_048_576;

interface Contender {
  readonly store: Store;
  readonly accounts: number;
}

const [url = '', accounts = '', smallUrl = '', smallAccounts = '', rounds = ''] = process.argv.slice(2);
const watched = watchedOf(process.argv);
/** Ids of one-time keys that no filling has used. */
let nextKey = Date.now() % 1e9;

const began = performance.now();
const cpuBefore = cpuUs();
const store = await openStore(url, { production: false });
await store.devices.find(deviceOf(0));
const startMs = performance.now() - began;
const startCpuMs = (cpuUs() - cpuBefore) / 1e3;
const opened = memory();

const small: Contender = { store: await openStore(smallUrl, { production: false }), accounts: Number(smallAccounts) };
const large: Contender = { store, accounts: Number(accounts) };
const each = { large: costsByOperation(), small: costsByOperation() };
for (let round = 0; round <= Number(rounds); round++)
  // The first round warms up.
  for (const [name, contender] of Object.entries({ large, small }) as ['large' | 'small', Contender][])
    for (const [operation, cost] of await turn(contender)) if (round > 0) each[name].get(operation)!.push(cost);
const measured: Measured = {
  startMs,
  startCpuMs,
  memory: { opened, used: memory() },
  costs: means(each.large),
  small: means(each.small),
};
console.log(JSON.stringify(measured));
await store.close();
await small.store.close();

/**
 * Traffic of as many people in both stores, spread over all of the store; what comes to a mailbox goes from it, oldest first, so that as
 * many messages wait afterwards. `append to all` goes to anybody: the more mailboxes there are, the fewer messages a checkpoint has for each.
 */
async function turn({ store, accounts }: Contender): Promise<Map<Operation, Cost>> {
  const count = watched.size > 0 ? 400 : 8_000;
  const anybody = (n: number) => Array.from({ length: n }, () => randomInt(accounts));
  const active = [...new Set(anybody(ACTIVE))];
  const to = { active: Array.from({ length: count }, (_, i) => active[i % active.length]!), all: anybody(count) };
  const costs = new Map<Operation, Cost>();
  const time = async (operation: Operation, count: number, work: () => Promise<unknown>) => {
    const [from, before] = [performance.now(), cpuUs()];
    await work();
    costs.set(operation, {
      cpuUs: (cpuUs() - before) / count,
      wallUs: ((performance.now() - from) * 1e3) / count,
    });
  };
  for (const [operation, people] of [
    ['append', to.active],
    ['append to all', to.all],
  ] as const) {
    const mails = mailsTo(people);
    await time(operation, count, async () => {
      for (let start = 0; start < count; start += BATCH) await append(store, mails.slice(start, start + BATCH));
    });
  }
  const got = new Map<number, number>();
  for (const person of [...to.active, ...to.all]) got.set(person, (got.get(person) ?? 0) + 1);
  const horizon = Date.now() - limits.lifeMs;
  const upTo: Acknowledgement[] = [];
  await time('read', got.size, () =>
    severalAtOnce([...got], async ([person, messages]) => {
      const device = deviceOf(person);
      const { mails } = await store.mailboxes.read(device, { after: 0, messages: 1, bytes: 1e6, horizon });
      upTo.push({ device, session: 0, upTo: mails[0]!.seq + messages - 1 });
    }),
  );
  await time('acknowledge', upTo.length, async () => {
    for (let start = 0; start < upTo.length; start += BATCH)
      await store.mailboxes.acknowledge(upTo.slice(start, start + BATCH));
  });
  await time('find device', count, () => severalAtOnce(to.all, (person) => store.devices.find(deviceOf(person))));
  const claimers = to.all.slice(0, count / 10);
  await severalAtOnce(claimers, (person) => {
    nextKey += ONE_TIME_KEYS;
    const keys = oneTimeKeys(nextKey);
    return store.prekeys.addOneTime(deviceOf(person), 'c25519', keys, { maximum: 1e6, now: Date.now() });
  });
  await time('claim', claimers.length, () =>
    severalAtOnce(claimers, async (person) => {
      const [bundle] = await store.prekeys.claim('c25519', [deviceOf(person)], Date.now());
      if (!bundle?.oneTimePrekey) throw new Error('there was a one-time key, and it was not handed out');
    }),
  );
  return costs;
}

async function severalAtOnce<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < items.length; start += AT_ONCE)
    await Promise.all(items.slice(start, start + AT_ONCE).map(work));
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  let sum = user + system;
  for (const pid of watched.values()) sum += processorTime(pid);
  return sum;
}

function memory(): Memory {
  const status = readFileSync('/proc/self/status', 'latin1');
  const of = (name: string) => Number(new RegExp(`^${name}:\\s+([0-9]+) kB`, 'm').exec(status)?.[1] ?? 0) * 1_024;
  return { own: of('RssAnon') / MIB, mapped: of('RssFile') / MIB };
}

function costsByOperation(): Map<Operation, Cost[]> {
  return new Map(OPERATIONS.map((operation) => [operation, []]));
}

function byOperation<Value>(value: (operation: Operation) => Value): Record<Operation, Value> {
  return Object.fromEntries(OPERATIONS.map((operation) => [operation, value(operation)])) as Record<Operation, Value>;
}

/** Not medians: what a checkpoint costs falls into one round of several. */
function means(costs: ReadonlyMap<Operation, readonly Cost[]>): Record<Operation, Cost> {
  return byOperation((operation) => ({
    cpuUs: mean(costs.get(operation)!.map(({ cpuUs }) => cpuUs)),
    wallUs: mean(costs.get(operation)!.map(({ wallUs }) => wallUs)),
  }));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
