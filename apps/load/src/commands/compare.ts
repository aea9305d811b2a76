/** `sealwire-load compare`: the same loads on ours and on peers, in turns, on this machine. */
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { runComparison } from '../comparing/comparison-run.ts';
import { SHAPES, shapeOf } from '../comparing/shapes.ts';
import type { Context } from '../context.ts';
import { LoadError } from '../errors.ts';
import { JETSTREAM } from '../peers/jetstream.ts';
import { MOSQUITTO } from '../peers/mosquitto.ts';
import { sealwire } from '../peers/sealwire.ts';
import { SOCKET_IO } from '../peers/socket-io.ts';
import type { Target } from '../peers/target.ts';
import { WS, WS_LOG } from '../peers/ws.ts';
import { parseBytes, parseCount, parseDuration, parseRate } from '../quantities.ts';
import { peersHtml } from '../showing/peers-html.ts';
import { peersTable } from '../showing/peers-table.ts';
import { invitationsIn, originIn, reading } from './run-options.ts';
import { count } from './talk-options.ts';
import { write } from './write.ts';

const PEERS: readonly Target[] = [WS, WS_LOG, SOCKET_IO, MOSQUITTO, JETSTREAM];
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

interface CompareOptions {
  readonly peers: readonly Target[];
  readonly to: string;
  readonly shapes: readonly string[];
  readonly rounds: number;
  readonly round: number;
  readonly pairs: number;
  readonly readers: number;
  readonly rate: number;
  readonly idle: number;
  readonly size: number;
  readonly serverPid: readonly number[];
  readonly identities: string;
  readonly invitationFile?: string;
  readonly patience: number;
  readonly json?: boolean;
  readonly out?: string;
  readonly html?: string;
}

export function compareCommand(context: Context): Command {
  const { home, env } = context.surroundings;
  const data = env.XDG_DATA_HOME || join(home, '.local/share');
  const names = PEERS.map(({ name }) => name).join(',');
  return new Command('compare')
    .description('the same loads on a Sealwire server and on peers, in turns, on this machine')
    .argument(
      '[url]',
      'a server of this machine, like http://127.0.0.1:8080; without: one is started, in a folder of its own',
    )
    .addOption(new Option('--peers <names>', 'separated by commas').argParser(reading(peersIn)).default(PEERS, names))
    .addOption(new Option('--to <peer>', 'whom ratios are to').default('ws'))
    .addOption(
      new Option('--shapes <names>', `separated by commas: ${SHAPES.join(', ')}`)
        .argParser((text: string) => text.split(','))
        .default(SHAPES, SHAPES.join(',')),
    )
    .addOption(count('--rounds <n>', 'of each load on each server, after one that warms up', 7))
    .addOption(new Option('--round <time>', 'how long one is').argParser(reading(parseDuration)).default(2_000, '2s'))
    .addOption(count('--pairs <n>', 'of sparse and rate', 100))
    .addOption(count('--readers <n>', 'of fan-out', 100))
    .addOption(
      new Option('--rate <n>', 'messages a second of all pairs together').argParser(reading(parseRate)).default(500),
    )
    .addOption(count('--idle <n>', 'connections that each round of idle opens', 250))
    .addOption(new Option('--size <bytes>', 'of a message').argParser(reading(parseBytes)).default(1_024, '1KiB'))
    .addOption(
      new Option('--server-pid <pid>', 'a process behind <url>, for its CPU and memory; may be repeated')
        .argParser((text: string, before: readonly number[]) => [...before, reading(parseCount)(text)])
        .default([], 'none'),
    )
    .addOption(
      new Option('--identities <dir>', 'where test accounts of <url> are kept').default(join(data, 'sealwire-load')),
    )
    .option('--invitation-file <file>', 'invitation codes for test accounts of <url>, one a line')
    .addOption(
      new Option('--patience <time>', 'what has not arrived so long after the end of a round is lost')
        .argParser(reading(parseDuration))
        .default(30_000, '30s'),
    )
    .option('--json', 'the report as JSON on stdout, instead of a table')
    .option('--out <file>', 'the report as JSON into a file')
    .option('--html <file>', 'the report as one HTML file')
    .action((url: string | undefined, options: CompareOptions) => compare(context, url, options));
}

async function compare(
  { surroundings, end }: Context,
  url: string | undefined,
  options: CompareOptions,
): Promise<void> {
  const { stdout, stderr, startProgram, startOther } = surroundings;
  const note = (text: string) => stderr.write(`${text}\n`);
  const warnings: string[] = [];
  const warn = (text: string) => {
    if (warnings.includes(text)) return;
    warnings.push(text);
    note(`warning: ${text}`);
  };
  const { peers, to, size, rounds } = options;
  const ours = sealwire({
    ...surroundings,
    origin: url === undefined ? undefined : loopbackIn(url),
    pids: options.serverPid,
    identities: options.identities,
    invitations: invitationsIn(options.invitationFile),
    note,
    warn,
  });
  const shapes = options.shapes.map((name) => shapeOf(name, { ...options, connections: options.idle }));
  const report = await runComparison({
    targets: [ours, ...peers],
    reference: to,
    shapes,
    rounds,
    roundMs: options.round,
    size,
    patienceMs: options.patience,
    starting: { startProgram, startOther },
    surroundings,
    note,
    warnings,
    warn,
  });
  if (options.out !== undefined) write('--out', options.out, `${JSON.stringify(report)}\n`);
  if (options.html !== undefined) write('--html', options.html, peersHtml(report));
  stdout.write(options.json ? `${JSON.stringify(report)}\n` : peersTable(report));
  end(report.ending);
}

function peersIn(text: string): readonly Target[] {
  return text.split(',').map((name) => {
    const peer = PEERS.find((one) => one.name === name);
    if (!peer)
      throw new LoadError('usage', `no such peer: "${name}"; there are ${PEERS.map((one) => one.name).join(', ')}`);
    return peer;
  });
}

/** CPU and memory are read from this machine, and peers are started on it. */
function loopbackIn(url: string): string {
  const origin = originIn(url);
  if (!LOOPBACK.test(new URL(origin).hostname))
    throw new LoadError(
      'usage',
      `${origin} is not this machine: peers are started here, so compare with a server here, like http://127.0.0.1:8080`,
    );
  return origin;
}
