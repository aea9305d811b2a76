/**
 * Many idle authenticated sockets on one machine, and a storm of reconnections:
 *
 *   npm run bench:many -w apps/load
 *   npm run bench:many -w apps/load -- --sockets=10000 --each=10000 --storm=2000 --folder=/var/tmp/many
 *
 * Servers are whole ones on embedded stores (`npm start`), as many as the descriptors of a process ask for (`--each` sockets a server),
 * with a generator each. Sockets come a server at a time, and after each step memory is read; it stops where less than `--leave` GiB would
 * stay free. Then the first two servers have the storm (`--storm` sockets of both together): people write meanwhile, others log in.
 * `--folder` keeps the servers' data and the identities for the next run: they are made once at one server, and copied.
 */
import { cpSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeMemory, kernel, load } from './many/machine.ts';
import { originOf, Program, pause, type Report } from './many/programs.ts';

const FIRST_PORT = 9_201;
/** Before memory is read: what connecting left behind is collected. */
const SETTLE_MS = 20_000;
const STORM_PAIRS = 10;
const STORM_MESSAGES_PER_SECOND = 20;
/** That log in at each server while others come back: a fiftieth of these. */
const LOGIN_SHARE = 50;
const LOGINS_PER_SECOND = 20;
const KIB = 1_024;
/** Longer than any step. */
const HELD = '3h';

const option = (name: string, otherwise: string) =>
  process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise;
const sockets = Number(option('sockets', '100000'));
const each = Number(option('each', '16700'));
const storm = Number(option('storm', '20000'));
const leave = Number(option('leave', '6'));
const rate = option('connect-rate', '500');
const folder = option('folder', join(tmpdir(), 'sealwire-many'));

const servers = Math.max(2, Math.ceil(sockets / each));
await prepare();
if (sockets > 0) await idle();
if (storm > 0) await stormOf(storm);

/** Data and identities of each server, of `each` devices and of those who write. */
async function prepare(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const first = dataOf(0);
  if (!existsSync(first.done)) {
    const began = performance.now();
    const server = await Program.server(FIRST_PORT, first.data);
    // The shortest runs that need these accounts; they make them.
    await loadOf('connect', 0, ['--devices', String(each), '--duration', '1s', '--connect-rate', rate]).report();
    await loadOf('chat', 0, ['--pairs', String(STORM_PAIRS), '--rate', '1', '--duration', '1s']).report();
    await server.end();
    mkdirSync(first.done);
    tell(`accounts of ${each} devices made in ${seconds(performance.now() - began)}`);
  }
  for (let i = 1; i < servers; i++) {
    const { data, identities, done } = dataOf(i);
    if (existsSync(done)) continue;
    cpSync(first.data, data, { recursive: true });
    cpSync(first.identities, identities, { recursive: true });
    // The tester keeps them under the server's address.
    renameSync(join(identities, hostOf(0)), join(identities, hostOf(i)));
    mkdirSync(done);
  }
}

async function idle(): Promise<void> {
  const running = await startServers(servers);
  const held: Program[] = [];
  await pause(SETTLE_MS);
  const empty = { kernel: kernel(), own: sum(running) };
  tell(
    `${servers} servers without sockets: ${mib(empty.own)} MiB of their own; ${freeMemory().toFixed(1)} GiB free, load ${load()}`,
  );
  for (let i = 0, there = 0; there < sockets; i++) {
    if (freeMemory() < leave) {
      tell(`stopped at ${there} sockets: ${freeMemory().toFixed(1)} GiB are free, ${leave} are to stay so`);
      break;
    }
    const count = Math.min(each, sockets - there);
    const [began, before] = [performance.now(), running[i]!.cpuUs];
    const generator = loadOf('connect', i, ['--devices', String(count), '--duration', HELD, '--connect-rate', rate]);
    held.push(generator);
    await generator.begun();
    const took = performance.now() - began;
    const cpu = (running[i]!.cpuUs - before) / count;
    await pause(SETTLE_MS);
    there += count;
    for (const program of [...running, ...held]) program.mustLive();
    const now = kernel();
    const [own, generators] = [sum(running) - empty.own, sum(held)];
    const line = [
      `${there} sockets (${now.sockets - empty.kernel.sockets} ends in the kernel)`,
      `the last ${count} in ${seconds(took)}, ${cpu.toFixed(0)} µs CPU of the server for each with its login`,
      `servers ${kib(own / there)} KiB a socket`,
      `kernel ${kib((now.slab - empty.kernel.slab) / there)} KiB slab and ${kib((now.buffers - empty.kernel.buffers) / there)} buffers, both ends`,
      `generators ${kib(generators / there)}`,
      `${freeMemory().toFixed(1)} GiB free, load ${load()}`,
    ];
    tell(line.join('; '));
  }
  const before = running.map(({ cpuUs }) => cpuUs);
  const from = performance.now();
  await pause(SETTLE_MS * 2);
  const busy = running.reduce((all, { cpuUs }, i) => all + cpuUs - before[i]!, 0) / ((performance.now() - from) * 1e3);
  tell(`all of them idle: ${(busy * 100).toFixed(1)} % of a core for pings and timers`);
  await Promise.all(held.map((program) => program.end()));
  await Promise.all(running.map((program) => program.end()));
}

async function stormOf(count: number): Promise<void> {
  const own = Math.min(each, count / 2);
  const logins = Math.max(10, Math.ceil(own / LOGIN_SHARE));
  const running = await startServers(2);
  const storms = running.map((_, i) =>
    loadOf('storm', i, [
      ...[
        '--devices',
        String(own),
        '--duration',
        '60s',
        '--every',
        '120s',
        '--patience',
        '300s',
        '--connect-rate',
        rate,
      ],
      ...['--pairs', String(STORM_PAIRS), '--rate', String(STORM_MESSAGES_PER_SECOND)],
    ]),
  );
  // Whoever is there first waits for the others a little: its storm is the first of its minute, and theirs comes into it.
  await Promise.all(storms.map((program) => program.begun()));
  const newcomers = running.map((_, i) =>
    Program.load([
      ...['connect', originOf(FIRST_PORT + i), '--devices', String(logins), '--duration', '1s', '--workers', '1'],
      ...['--connect-rate', String(LOGINS_PER_SECOND), '--identities', join(folder, `logins-${i}`)],
    ]),
  );
  const reports = await Promise.all(storms.map((program) => program.report()));
  const others = await Promise.all(newcomers.map((program) => program.report()));
  tell(`storm of ${2 * own} sockets at two servers, load ${load()}`);
  for (const report of reports) {
    const { back, allBack, deliver } = report.times;
    tell(
      `  back p50 ${seconds(back!.p50)}, p99 ${seconds(back!.p99)}, all ${seconds(allBack!.max)}; ${deliver?.count ?? 0} messages delivered meanwhile, p99 ${seconds(deliver?.p99 ?? 0)}; ${verdictOf(report)}`,
    );
  }
  for (const { times } of others)
    tell(
      `  ${times.login!.count} logins meanwhile: p50 ${ms(times.login!.p50)}, p99 ${ms(times.login!.p99)}; then the socket p99 ${ms(times.connect!.p99)}`,
    );
  await Promise.all(running.map((program) => program.end()));
}

function startServers(count: number): Promise<Program[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => Program.server(FIRST_PORT + i, dataOf(i).data)));
}

function loadOf(command: string, server: number, args: readonly string[]): Program {
  const { identities } = dataOf(server);
  return Program.load([command, originOf(FIRST_PORT + server), '--workers', '1', '--identities', identities, ...args]);
}

function dataOf(server: number) {
  const path = (name: string) => join(folder, `${name}-${each}-${server}`);
  return { data: path('data'), identities: path('identities'), done: path('made') };
}

function hostOf(server: number): string {
  return new URL(originOf(FIRST_PORT + server)).host.replace(':', '_');
}

function verdictOf({ oracle }: Report): string {
  const broken = Object.entries(oracle.offences).filter(([, count]) => count > 0);
  return broken.length === 0
    ? 'no message lost, doubled or out of order'
    : broken.map(([name, n]) => `${n} ${name}`).join(', ');
}

function sum(programs: readonly Program[]): number {
  return programs.reduce((all, { ownMemory }) => all + ownMemory, 0);
}

function mib(bytes: number): string {
  return (bytes / KIB / KIB).toFixed(0);
}

function kib(bytes: number): string {
  return (bytes / KIB).toFixed(1);
}

function seconds(ms: number): string {
  return `${(ms / 1e3).toFixed(1)} s`;
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}

function tell(line: string): void {
  console.log(line);
}
