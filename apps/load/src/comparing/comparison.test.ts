/** Ours and peers under the same load: what is compared, who is judged, and what is said of those that are not here. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Constellation, startConstellation } from '@sealwire/testkit/constellation';
import { contentOf, plainTarget } from '../peers/plain-target.ts';
import { cpuMicrosOf, memoryOf } from '../peers/processes.ts';
import { Absent, type Target } from '../peers/target.ts';
import { processRuntime, steadyNow } from '../running/process-runtime.ts';
import { peersHtml } from '../showing/peers-html.ts';
import { peersTable } from '../showing/peers-table.ts';
import { sealwireLoad } from '../testing/in-process.ts';
import type { MemberEvents } from '../traffic/member.ts';
import { type ComparisonTerms, runComparison } from './comparison-run.ts';
import { ComparisonReport } from './report.ts';
import { shapeOf } from './shapes.ts';

jest.setTimeout(60_000);

const GUARANTEE = { accepted: 'at once', isDurable: false, isKept: false, isAuthenticated: false };

/** A server in this process; `hand` says how often message `turn` comes to its reader. */
function inProcess(name: string, hand: (turn: number) => number = () => 1, version = '1'): Target {
  return {
    name,
    promise: GUARANTEE,
    async start() {
      const readers = new Map<string, MemberEvents[]>();
      let turn = 0;
      return plainTarget({
        version,
        pids: [process.pid],
        join: (device, { topic, isWriter, writer, filling }, events) => ({
          device,
          isOnline: true,
          async open() {
            if (!isWriter) readers.set(topic, [...(readers.get(topic) ?? []), events]);
          },
          send(number, header) {
            const content = contentOf(header, filling);
            const times = hand(++turn);
            setImmediate(() => {
              for (const reader of readers.get(topic) ?? [])
                for (let time = 0; time < times; time++) reader.received(writer, content);
              events.accepted(number);
            });
          },
          async close() {},
        }),
        stop: async () => {},
      });
    },
  };
}

function terms(targets: readonly Target[], more: Partial<ComparisonTerms> = {}): ComparisonTerms {
  const refuse = () => {
    throw new Error('nothing is started');
  };
  const shapeTerms = { pairs: 2, readers: 3, rate: 200, connections: 2 };
  const warnings: string[] = [];
  return {
    targets,
    reference: 'peer',
    shapes: [shapeOf('bursts', shapeTerms)],
    rounds: 3,
    roundMs: 30,
    size: 100,
    patienceMs: 50,
    starting: { startProgram: refuse, startOther: refuse },
    surroundings: {
      argv: ['compare'],
      version: '1.2.3',
      // More than any load of this machine: what is said of a busy one is not said here.
      cores: 1_000,
      runtime: processRuntime([]),
      now: steadyNow,
      interrupted: new AbortController().signal,
    } as unknown as ComparisonTerms['surroundings'],
    note: () => {},
    warnings,
    warn: (text) => warnings.push(text),
    ...more,
  };
}

describe('a comparison', () => {
  it('has of each load the rounds of all servers, and ratios to the one that was named', async () => {
    const shapeTerms = { pairs: 2, readers: 3, rate: 200, connections: 2 };
    const shapes = ['sparse', 'bursts', 'fan-out', 'rate', 'idle'].map((name) => shapeOf(name, shapeTerms));
    const report = await runComparison(terms([inProcess('ours'), inProcess('peer')], { shapes }));
    expect(ComparisonReport.parse(report)).toEqual(report);
    expect([report.reference, report.ending]).toEqual(['peer', 'ok']);
    expect(report.shapes.map(({ rows }) => rows.map(({ server }) => server))).toEqual(
      shapes.map(() => ['ours', 'peer']),
    );
    for (const { rows, figures, name } of report.shapes)
      for (const { values, ratios, server, times } of rows) {
        // Memory of this process may become less.
        for (const figure of figures) expect(values[figure]!.rounds).toBe(3);
        if (server === 'peer' && name !== 'idle')
          expect(ratios[figures[0]!]).toMatchObject({ median: 1, low: 1, high: 1 });
        if (name !== 'idle') expect(times!.count).toBeGreaterThan(0);
      }
    const fanOut = report.shapes[2]!.rows[0]!;
    expect(fanOut.times!.count % 3).toBe(0);
  });

  it('judges peers, too; that ours breaks a promise is how it ends', async () => {
    const loses = inProcess('peer', (turn) => (turn === 40 ? 0 : 1));
    const doubles = inProcess('second', (turn) => (turn === 40 ? 2 : 1));
    const good = await runComparison(terms([inProcess('ours'), loses, doubles]));
    const offences = good.shapes[0]!.rows.map(({ offences: { lost, doubled } }) => [lost, doubled]);
    expect([good.ending, offences]).toEqual([
      'ok',
      [
        [0, 0],
        [1, 0],
        [0, 1],
      ],
    ]);
    expect(good.shapes[0]!.rows[1]!.examples).toEqual([expect.stringMatching(/^lost: message \d+ of bursts-/)]);
    const bad = await runComparison(terms([inProcess('ours', (turn) => (turn === 40 ? 0 : 1)), inProcess('peer')]));
    expect(bad.ending).toBe('promise');
  });

  it('says which peers are not here, and takes another one for ratios', async () => {
    const absent: Target = {
      name: 'peer',
      promise: GUARANTEE,
      start: () => Promise.reject(new Absent('not installed: apt-get install peer')),
    };
    const report = await runComparison(terms([inProcess('ours'), absent, inProcess('second')]));
    expect([report.absent, report.reference]).toEqual([
      [{ name: 'peer', why: 'not installed: apt-get install peer' }],
      'second',
    ]);
    expect(report.warnings).toEqual([
      expect.stringContaining('peer is left out'),
      expect.stringContaining('ratios are to second'),
    ]);
    await expect(runComparison(terms([inProcess('ours'), absent]))).rejects.toThrow('no peer to compare with');
  });

  it('ends what it has started when one of them cannot be', async () => {
    let stopped = 0;
    const ours = inProcess('ours');
    const counted: Target = {
      ...ours,
      async start(starting) {
        const running = await ours.start(starting);
        return { ...running, stop: async () => void stopped++ };
      },
    };
    const broken: Target = { ...inProcess('peer'), start: () => Promise.reject(new Error('port in use')) };
    await expect(runComparison(terms([counted, broken]))).rejects.toThrow('port in use');
    expect(stopped).toBe(1);
  });

  it('is shown as a table and as a page that opens without a network', async () => {
    const report = await runComparison(terms([inProcess('ours', () => 1, '<b>1'), inProcess('peer')]));
    expect(peersTable(report)).toMatch(/^ours +\d.* lost 0, doubled 0$/m);
    expect(peersTable(report)).toMatch(/^peer +1\.00 \(1\.00 to 1\.00\) /m);
    const page = peersHtml(report);
    expect(page).toContain('accepted at once: NOT durable');
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|src=|NaN|undefined|Infinity|<b>/);
    expect(page.match(/<rect /g)!.length).toBe(2);
  });
});

describe('what processes cost', () => {
  it('is what they and those that they started have taken', () => {
    const before = cpuMicrosOf([process.pid])!;
    const until = performance.now() + 30;
    while (performance.now() < until);
    expect(cpuMicrosOf([process.pid])! - before).toBeGreaterThan(1_000);
    expect(memoryOf([process.pid])!).toBeGreaterThan(10_000_000);
  });

  it('is not known of none, and of those that are gone', () => {
    expect([cpuMicrosOf([]), cpuMicrosOf([2 ** 30]), memoryOf([2 ** 30])]).toEqual([undefined, undefined, undefined]);
  });
});

describe('sealwire-load compare', () => {
  let folder: string;
  let server: Constellation;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sealwire-compared-'));
    server = await startConstellation();
  });

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  const short = ['--rounds', '1', '--round', '100ms', '--pairs', '2', '--readers', '2', '--rate', '50', '--idle', '2'];

  it('has a server of this machine and a peer in a process of its own under every load', async () => {
    const html = join(folder, 'compare.html');
    const pid = ['--server-pid', String(process.pid)];
    const argv = ['compare', server.origin, ...short, ...pid, '--peers', 'ws-log', '--to', 'ws-log', '--html', html];
    const { code, stdout, stderr } = await sealwireLoad(folder, [...argv, '--json']);
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('left out')]);
    const report = ComparisonReport.parse(JSON.parse(stdout));
    expect(report.servers.map(({ name, isDurable }) => [name, isDurable])).toEqual([
      ['sealwire', true],
      ['ws-log', true],
    ]);
    for (const { rows, figures } of report.shapes)
      for (const { values } of rows) expect(Object.keys(values)).toEqual(figures);
    expect(readFileSync(html, 'utf8')).toContain('after fdatasync of a log');
  });

  it.each([
    [['https://chat.example.org'], 'is not this machine'],
    [['--peers', 'ws,carrier-pigeon'], 'there are ws, ws-log, socket.io, mosquitto, jetstream'],
    [['--shapes', 'round'], 'there are sparse, bursts, fan-out, rate, idle'],
  ])('%j is a mistake', async (argv, text) => {
    const { code, stderr } = await sealwireLoad(folder, ['compare', ...argv]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(text)]);
  });
});
