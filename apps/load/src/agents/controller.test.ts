/** Several machines as one load: whose clock counts, what is judged together, and what ends when one of them dies. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ClientRuntime } from '@sealwire/client/runtime';
import { type Constellation, startConstellation } from '@sealwire/testkit/constellation';
import type { Deliver } from '@sealwire/wire/frames';
import { Report } from '../measuring/report.ts';
import type { Offence } from '../oracle/oracle.ts';
import { processRuntime, steadyNow } from '../running/process-runtime.ts';
import { Worker } from '../running/worker.ts';
import { afterFrames } from '../testing/counting-runtime.ts';
import { type Outcome, sealwireLoad, startProgram } from '../testing/in-process.ts';
import { type Liar, lyingRuntime } from '../testing/lying-relay.ts';
import { type Agent, startAgent } from './agent.ts';
import { RemoteAgent } from './remote-agent.ts';

jest.setTimeout(60_000);

const VERSION = '1.2.3';
const SECRET = 'a secret that all machines have';
const secret = new TextEncoder().encode(SECRET);
/** As many as there are: at least one, which the test looks at itself. */
const more = expect.any(Number);
const NONE = { lost: 0, doubled: 0, reordered: 0, foreign: 0, notAccepted: 0, keyTwice: 0, damaged: 0 };

let folder: string;
let secretFile: string;
let server: Constellation;
let agents: Agent[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-agents-'));
  secretFile = join(folder, 'secret');
  writeFileSync(secretFile, `${SECRET}\n`);
  server = await startConstellation();
});

afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.close()));
  agents = [];
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** With a number that its writer has not reached. */
function forged(message: Deliver): Deliver {
  const body = message.body.slice();
  new DataView(body.buffer).setUint32(16, 1_000);
  return { ...message, id: message.id.map((byte) => byte ^ 1) as Deliver['id'], body };
}

interface AgentOptions {
  readonly runtime?: ClientRuntime;
  /** Of that machine's clock. */
  readonly aheadMs?: number;
  readonly note?: (text: string) => void;
  readonly version?: string;
}

async function agentOf({
  runtime,
  aheadMs = 0,
  note = () => {},
  version = VERSION,
}: AgentOptions = {}): Promise<Agent> {
  const now = () => steadyNow() + aheadMs;
  const agent = await startAgent({
    host: '127.0.0.1',
    port: 0,
    secret,
    version,
    runtime: processRuntime([]),
    now,
    openHand: (_isForked, say) =>
      new Worker({ runtimeFrom: (sources) => runtime ?? processRuntime(sources), now, say }),
    note,
  });
  agents.push(agent);
  return agent;
}

function controlled(
  addresses: readonly string[],
  more: readonly string[],
  command: readonly string[],
): Promise<Outcome> {
  const named = addresses.flatMap((address) => ['--agent', address]);
  return sealwireLoad(folder, ['controller', ...named, '--secret-file', secretFile, ...more, '--', ...command]);
}

function chat(...more: string[]): string[] {
  return [
    'chat',
    server.origin,
    '--pairs',
    '2',
    '--rate',
    '40',
    '--duration',
    '500ms',
    '--patience',
    '2s',
    '--json',
    ...more,
  ];
}

describe('sealwire-load controller', () => {
  it('makes one load and one report with two agents, whatever their clocks say', async () => {
    const all = [await agentOf(), await agentOf({ aheadMs: 60_000 })];
    const addresses = all.map(({ address }) => address);
    for (const more of [[], ['--divided']]) {
      const { code, stdout, stderr } = await controlled(addresses, more, chat());
      expect([code, stderr]).toEqual([0, expect.stringContaining('over\n')]);
      const { counts, times, oracle, agents: told, generator, phases } = Report.parse(JSON.parse(stdout));
      expect(oracle.offences).toEqual(NONE);
      expect(counts.sent).toBeGreaterThan(10);
      expect([counts.delivered, counts.accepted, times.deliver!.count]).toEqual([
        counts.sent,
        counts.sent,
        counts.sent,
      ]);
      // A minute between the clocks would show in each of them.
      expect(times.deliver!.max).toBeLessThan(20_000);
      expect(times.late!.max).toBeLessThan(20_000);
      expect(phases[0]!.to - phases[0]!.from).toBeLessThan(30);
      expect(told.map(({ address }) => address)).toEqual(addresses);
      expect(Math.abs(told[0]!.offsetMs - told[1]!.offsetMs - 60_000)).toBeLessThan(
        told[0]!.errorMs + told[1]!.errorMs + 50,
      );
      expect(generator.workers).toBe(2);
    }
  });

  it('divides a closed model and a group, too', async () => {
    const addresses = [(await agentOf()).address, (await agentOf()).address];
    const closed = [
      ...chat().filter((word, at, all) => word !== '--rate' && all[at - 1] !== '--rate'),
      '--in-flight',
      '2',
    ];
    const first = await controlled(addresses, ['--divided'], closed);
    expect(first.code).toBe(0);
    const { counts } = Report.parse(JSON.parse(first.stdout));
    expect(counts.delivered).toBe(counts.sent);
    const group = ['group', server.origin, '--members', '5', '--rate', '10', '--duration', '1s', '--json'];
    const second = await controlled(addresses, ['--divided'], group);
    const { counts: many } = Report.parse(JSON.parse(second.stdout));
    expect([second.code, many.delivered]).toEqual([0, 4 * many.sent!]);
  });

  it.each<[string, Liar, Partial<Record<Offence, unknown>>]>([
    ['loses one', { deliver: (message, turn) => (turn === 5 ? [] : [message]) }, { lost: 1 }],
    ['loses the last ones', { deliver: (message, turn) => (turn < 5 ? [message] : []) }, { lost: more }],
    ['doubles one', { deliver: (message, turn) => (turn === 5 ? [message, message] : [message]) }, { doubled: 1 }],
    [
      'forges one',
      { deliver: (message, turn) => (turn === 5 ? [message, forged(message)] : [message]) },
      { foreign: more, lost: more, reordered: more },
    ],
  ])('sees that a relay %s between two machines', async (_, liar, offences) => {
    const addresses = [
      (await agentOf()).address,
      (await agentOf({ runtime: lyingRuntime(processRuntime([]), liar) })).address,
    ];
    const home = mkdtempSync(join(folder, 'home-'));
    const argv = [...chat('--patience', '500ms'), '--identities', home];
    const { code, stdout, stderr } = await controlled(addresses, ['--divided'], argv);
    expect([code, stderr]).toEqual([3, expect.stringContaining('over\n')]);
    const { oracle } = Report.parse(JSON.parse(stdout));
    expect(oracle.offences).toEqual({ ...NONE, ...offences });
    for (const offence of Object.keys(offences) as Offence[]) expect(oracle.offences[offence]).toBeGreaterThan(0);
  });

  it('breaks all off when one agent dies, at once and with its name', async () => {
    const said: string[] = [];
    const other = await agentOf({ note: (text) => said.push(text) });
    let died = 0;
    const dies: Agent = await agentOf({
      runtime: afterFrames(10, () => {
        died = steadyNow();
        void dies.close();
      }),
    });
    const running = controlled([other.address, dies.address], [], [...chat(), '--duration', '1h']);
    const { code, stdout, stderr } = await running;
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`the agent at ${dies.address} is gone`);
    // Well before its silence would tell.
    expect(steadyNow() - died).toBeLessThan(10_000);
    // The other one is there for the next controller.
    const next = await RemoteAgent.connect(
      { address: other.address, secret, version: VERSION, runtime: processRuntime([]), now: steadyNow },
      () => {},
    );
    next.close();
    expect(said).toEqual(expect.arrayContaining([expect.stringContaining('is gone')]));
  });

  it('works with an agent in a process of its own, whose workers are processes, too', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    const argv = ['agent', '--listen', '127.0.0.1:0', '--secret-file', secretFile, '--once'];
    const child = startProgram('load', argv);
    try {
      const exit = once(child, 'exit');
      const here = await agentOf({ version });
      const there = String((await once(child.stdout!, 'data'))[0]).trim();
      const named = ['--agent', there, '--agent', here.address, '--secret-file', secretFile];
      const { code, stdout, stderr } = await sealwireLoad(
        folder,
        ['controller', ...named, '--divided', '--', ...chat()],
        { version },
      );
      expect([code, stderr]).toEqual([0, expect.stringContaining('over\n')]);
      const { counts, oracle } = Report.parse(JSON.parse(stdout));
      expect([counts.delivered, oracle.offences]).toEqual([counts.sent, NONE]);
      expect((await exit)[0]).toBe(0);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it.each([
    [['--agent', '127.0.0.1:1'], ['chat', 'http://127.0.0.1:9'], 1, 'no agent at 127.0.0.1:1'],
    [['--agent', '127.0.0.1:1'], ['doctor'], 2, '"doctor" makes no load'],
    [['--agent', 'one'], ['chat'], 2, 'write it like 127.0.0.1:7300'],
    [[], ['chat'], 2, "required option '--agent <host:port>'"],
  ])('says what is wrong with %j %j', async (named, command, code, text) => {
    const told = await sealwireLoad(folder, ['controller', ...named, '--secret-file', secretFile, '--', ...command]);
    expect([told.code, told.stderr]).toEqual([code, expect.stringContaining(text)]);
  });

  it('wants a secret from a file, and keys of the SDK on one machine', async () => {
    const missing = await sealwireLoad(folder, ['agent', '--secret-file', join(folder, 'nothing')]);
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('head -c 32 /dev/urandom')]);
    const short = join(folder, 'short');
    writeFileSync(short, 'secret\n');
    expect((await sealwireLoad(folder, ['agent', '--secret-file', short])).stderr).toContain('less than 20 characters');
    const { address } = await agentOf();
    const full = await controlled([address], [], chat('--crypto', 'full'));
    expect([full.code, full.stderr]).toEqual([2, expect.stringContaining('--crypto full has its keys in files')]);
  });
});
