/** Each command against a whole server, in small: what it reports, keeps, and ends with. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openFileBlobs } from '@sealwire/blobs/files';
import { type Constellation, startConstellation } from '@sealwire/testkit/constellation';
import { Report } from '../measuring/report.ts';
import { afterFrames } from '../testing/counting-runtime.ts';
import { sealwireLoad } from '../testing/in-process.ts';

jest.setTimeout(120_000);

let folder: string;
let server: Constellation;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-load-'));
  const blobs = await openFileBlobs({ folder: join(folder, 'blobs') });
  server = await startConstellation({ blobs });
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** With `--json`; what is reported has the form that `report` reads. */
async function reported(command: string, ...argv: string[]): Promise<Report> {
  const { code, stdout, stderr } = await sealwireLoad(folder, [command, ...argv, '--json']);
  expect([code, stderr]).toEqual([0, expect.stringContaining('over\n')]);
  return Report.parse(JSON.parse(stdout));
}

describe('sealwire-load', () => {
  it('chat: in the open model, latency counts from the intended time', async () => {
    const { counts, times, rows, generator } = await reported(
      'chat',
      server.origin,
      '--pairs',
      '3',
      '--rate',
      '60',
      '--duration',
      '2200ms',
    );
    expect(counts).toMatchObject({ connected: 6, sent: expect.any(Number), lost: 0, doubled: 0 });
    expect(counts.sent).toBeGreaterThan(30);
    expect([counts.delivered, counts.accepted]).toEqual([counts.sent, counts.sent]);
    expect(times.deliver!.count).toBe(counts.sent);
    expect(times.deliver!.p50).toBeGreaterThanOrEqual(times.late!.p50);
    expect(rows.length).toBeGreaterThanOrEqual(2);
    expect(generator.workers).toBe(1);
  });

  it('chat: in the closed model as many are in flight as was said, with pauses in between', async () => {
    const argv = [server.origin, '--pairs', '2', '--in-flight', '2', '--think', '100ms', '--duration', '500ms'];
    const { counts } = await reported('chat', ...argv);
    // Four are under way at a time, each for 100 ms and what the server takes.
    expect(counts.sent).toBeGreaterThanOrEqual(4);
    expect(counts.sent).toBeLessThanOrEqual(24);
    expect(counts.delivered).toBe(counts.sent);
  });

  it('chat: with the SDK and LIME, whose keys are kept from run to run', async () => {
    const argv = [server.origin, '--crypto', 'full', '--pairs', '1', '--rate', '20', '--duration', '500ms'];
    const first = await reported('chat', ...argv);
    expect(first.times.register!.count).toBe(2);
    const second = await reported('chat', ...argv);
    expect(second.times.register).toBeUndefined();
    for (const { counts } of [first, second]) {
      expect(counts.delivered).toBe(counts.sent);
      expect(Object.keys(counts).filter((name) => name.startsWith('told '))).toEqual([]);
    }
  });

  it('group: each message comes to all other members', async () => {
    const argv = [
      server.origin,
      '--groups',
      '2',
      '--members',
      '4',
      '--rate',
      '20',
      '--duration',
      '500ms',
      '--crypto',
      'none',
    ];
    const { counts } = await reported('group', ...argv);
    expect(counts.sent).toBeGreaterThan(0);
    expect(counts.delivered).toBe(3 * counts.sent!);
  });

  it('connect: all sockets stay', async () => {
    const { counts, rows, times } = await reported('connect', server.origin, '--devices', '15', '--duration', '300ms');
    expect(counts).toMatchObject({ connected: 15 });
    expect(counts.linksLost).toBeUndefined();
    expect(rows.at(-1)!.levels).toEqual({ online: 15 });
    expect([times.connect!.count, times.login!.count]).toEqual([15, 15]);
  });

  it('connect: sockets come from the addresses that are named', async () => {
    const argv = [server.origin, '--devices', '4', '--duration', '200ms', '--from', '127.0.0.2', '--from', '127.0.0.3'];
    if (process.platform === 'linux') expect((await reported('connect', ...argv)).counts.connected).toBe(4);
    const refused = await sealwireLoad(folder, [
      'connect',
      server.origin,
      '--devices',
      '1',
      '--from',
      '192.0.2.1',
      '--patience',
      '1s',
    ]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('is not let in')]);
  });

  it('storm: all sockets come back, and who writes meanwhile loses nothing', async () => {
    const argv = [server.origin, '--devices', '10', '--duration', '2s', '--every', '1s', '--pairs', '1'];
    const { counts, times } = await reported('storm', ...argv);
    const storms = counts.storms ?? 0;
    // A third where the machine is slow and the phase ends late.
    expect(storms).toBeGreaterThanOrEqual(2);
    expect([times.back!.count, times.allBack!.count]).toEqual([10 * storms, storms]);
    expect(counts.delivered).toBe(counts.sent);
  });

  it('keys: devices publish theirs, and nobody gets a one-time key twice', async () => {
    const argv = [server.origin, '--devices', '3', '--rate', '40', '--duration', '500ms'];
    const { counts, times } = await reported('keys', ...argv);
    expect(counts).toMatchObject({ published: 3, keyTwice: 0, answered: counts.asked });
    expect(times.bundle!.count).toBe(counts.asked);
    // Of devices whose keys are there already.
    expect((await reported('keys', ...argv)).counts).toMatchObject({ published: 3, keyTwice: 0 });
  });

  it('files: each is uploaded, read back, compared and deleted', async () => {
    const argv = [server.origin, '--rate', '10', '--duration', '500ms', '--size', '10KiB'];
    const { counts, times } = await reported('files', ...argv);
    expect(counts).toMatchObject({ answered: counts.asked, damaged: 0 });
    expect(times.upload!.count).toBe(counts.files);
  });

  it('soak: a chat, with the memory of the server', async () => {
    const metrics = createServer((_request, response) => response.end('process_resident_memory_bytes 104857600\n'));
    await new Promise<void>((resolve) => metrics.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(metrics.address() as AddressInfo).port}/metrics`;
    try {
      const { memory } = await reported(
        'soak',
        server.origin,
        '--pairs',
        '1',
        '--rate',
        '5',
        '--duration',
        '1200ms',
        '--metrics',
        url,
      );
      expect(memory.length).toBeGreaterThanOrEqual(2);
      expect(memory[0]!.bytes).toBe(104_857_600);
    } finally {
      metrics.close();
    }
  });

  it('scenario: phases one after the other, each a mix', async () => {
    const file = join(folder, 'scenario.yaml');
    writeFileSync(
      file,
      `phases:
  - name: warm
    duration: 300ms
    run:
      - chat: { pairs: 2, rate: 60 }
  - name: mixed
    duration: 500ms
    run:
      - chat: { pairs: 2, inFlight: 1, think: 50ms..100ms, size: 1KiB }
      - group: { groups: 1, members: 3, rate: 5 }
      - connect: { devices: 5 }
      - keys: { devices: 2, rate: 5 }
failIf:
  - p99>30s
`,
    );
    const { phases, counts, thresholds } = await reported('scenario', file, server.origin);
    expect(phases.map(({ name }) => name)).toEqual(['warm', 'mixed']);
    expect(phases[1]!.from).toBeGreaterThanOrEqual(phases[0]!.to);
    expect(counts).toMatchObject({ lost: 0, foreign: 0, notAccepted: 0 });
    expect(thresholds).toEqual([{ text: 'p99>30s', value: expect.any(Number), isMissed: false }]);
  });

  it('keeps test accounts where nobody else reads them, and uses them again', async () => {
    const home = mkdtempSync(join(folder, 'kept-'));
    const argv = ['chat', server.origin, '--pairs', '1', '--rate', '20', '--duration', '200ms'];
    const first = await sealwireLoad(home, argv);
    expect([first.code, first.stderr]).toEqual([0, expect.stringContaining('makes 2 accounts')]);
    const kept = join(home, '.local/share/sealwire-load');
    const [own] = readdirSync(kept);
    expect(statSync(join(kept, own!)).mode & 0o077).toBe(0);
    expect(statSync(join(kept, own!, 'accounts-of-1.jsonl')).mode & 0o077).toBe(0);
    const second = await sealwireLoad(home, argv);
    expect([second.code, second.stderr]).toEqual([0, expect.not.stringContaining('makes')]);
  });

  it('ends early and in order when it is interrupted, with what was measured', async () => {
    const interruption = new AbortController();
    const { code, stdout } = await sealwireLoad(
      folder,
      ['chat', server.origin, '--pairs', '1', '--rate', '100', '--duration', '1h', '--json'],
      { interrupted: interruption.signal, runtime: afterFrames(10, () => interruption.abort()) },
    );
    const report = Report.parse(JSON.parse(stdout));
    expect([code, report.ending]).toEqual([130, 'interrupted']);
    expect(report.counts.sent).toBeGreaterThan(0);
  });

  it('shows a panel on a terminal, and a line a second elsewhere', async () => {
    const argv = ['chat', server.origin, '--pairs', '1', '--rate', '20', '--duration', '2200ms'];
    const panel = await sealwireLoad(folder, argv, { terminal: true });
    expect(panel.stderr).toContain('\x1b[2Kchat http');
    expect(panel.stderr).toMatch(/, chat begins, \d+ s\n.*online 2/);
    expect(panel.stderr).toContain('\x1b[0J');
    const lines = await sealwireLoad(folder, argv);
    expect(lines.stderr).toMatch(/^\d s: online 2, .*sent \d+\/s/m);
    expect(lines.stderr).not.toContain('\x1b');
    expect(lines.stdout).toMatch(/^deliver +\d+ .* ms/m);
    expect(lines.stdout).toMatch(/\npassed\n$/);
  });

  it('ends with exit code 4 when a threshold is missed, and says which', async () => {
    const argv = ['chat', server.origin, '--pairs', '1', '--rate', '40', '--duration', '300ms'];
    const { code, stdout } = await sealwireLoad(folder, [
      ...argv,
      '--fail-if',
      'p99>1us',
      '--fail-if',
      'refused>0',
      '--fail-if',
      'bundle.p50>1s',
    ]);
    expect(code).toBe(4);
    expect(stdout).toMatch(/missed p99>1us: .*\nmet {4}refused>0: 0\nmissed bundle.p50>1s: nothing was measured\n/);
  });

  it('writes a report that opens without a network, and compares two', async () => {
    const [json, html] = [join(folder, 'a.json'), join(folder, 'a.html')];
    const argv = [
      'chat',
      server.origin,
      '--pairs',
      '2',
      '--rate',
      '60',
      '--duration',
      '2200ms',
      '--out',
      json,
      '--html',
      html,
    ];
    expect((await sealwireLoad(folder, argv)).code).toBe(0);
    const page = readFileSync(html, 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page.match(/<svg /g)!.length).toBeGreaterThanOrEqual(2);
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|src=/);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
    const again = join(folder, 'again.html');
    expect((await sealwireLoad(folder, ['report', json, '--html', again])).code).toBe(0);
    expect(readFileSync(again, 'utf8')).toBe(page);
    expect((await sealwireLoad(folder, ['report', json])).stdout).toContain('passed');
    const worse = JSON.parse(readFileSync(json, 'utf8')) as Report;
    const slower = { ...worse.times.deliver!, p99: worse.times.deliver!.p99 * 3 + 10 };
    const other = join(folder, 'b.json');
    writeFileSync(other, JSON.stringify({ ...worse, times: { ...worse.times, deliver: slower } }));
    const same = await sealwireLoad(folder, ['report', 'diff', json, json]);
    expect([same.code, same.stdout]).toEqual([0, expect.stringMatching(/^deliver\.p99 .* 0\.0 %$/m)]);
    const diff = await sealwireLoad(folder, ['report', 'diff', json, other]);
    expect([diff.code, diff.stdout]).toEqual([4, expect.stringMatching(/^deliver\.p99 .*worse$/m)]);
    const both = join(folder, 'diff.html');
    const allowed = ['--allow', '9999', '--html', both];
    expect((await sealwireLoad(folder, ['report', 'diff', json, other, ...allowed])).code).toBe(0);
    expect(readFileSync(both, 'utf8')).toContain('nothing is worse by more than 9999 %');
  });

  it('doctor: says what this machine can hold', async () => {
    const { stdout } = await sealwireLoad(folder, ['doctor', '--connections', '10', '--json']);
    expect(JSON.parse(stdout)).toEqual(
      expect.arrayContaining([expect.objectContaining({ about: expect.stringContaining('memory') })]),
    );
    const much = await sealwireLoad(folder, ['doctor', '--connections', '1000000']);
    expect([much.code, much.stdout]).toEqual([1, expect.stringMatching(/^BAD .*\n {5}\S/m)]);
  });

  it('takes invitations from a file, and says when they are used up', async () => {
    const closed = await startConstellation({ gate: 'invitation' });
    try {
      const home = mkdtempSync(join(folder, 'invited-'));
      const argv = ['chat', closed.origin, '--pairs', '1', '--rate', '5', '--duration', '1s'];
      const without = await sealwireLoad(home, argv);
      expect([without.code, without.stderr]).toEqual([
        2,
        expect.stringContaining('by invitation: --invitation-file FILE'),
      ]);
      const file = join(home, 'codes');
      writeFileSync(file, 'wrong-code\nanother\n');
      const wrong = await sealwireLoad(home, [...argv, '--invitation-file', file]);
      expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('no invitation is good any more')]);
    } finally {
      await closed.stop();
    }
  });
});

describe('a mistake', () => {
  it.each([
    [['chat'], 'missing required argument'],
    [['chat', 'chat.example.org'], 'write it like https://chat.example.org'],
    [['chat', 'ftp://x'], 'not an address'],
    [['chat', 'http://127.0.0.1:9', '--rate', '-1'], 'not a rate'],
    [['chat', 'http://127.0.0.1:9', '--rate', '5', '--in-flight', '2'], 'cannot be used with'],
    [['chat', 'http://127.0.0.1:9', '--duration', '5'], 'write it like 500ms'],
    [['chat', 'http://127.0.0.1:9', '--duration', '1000h'], 'at most 168h'],
    [['chat', 'http://127.0.0.1:9', '--crypto', 'rot13'], 'Allowed choices'],
    [['chat', 'http://127.0.0.1:9', '--fail-if', 'p99>200'], 'not a time'],
    [['chat', 'http://127.0.0.1:9', '--fail-if', 'slow'], 'not a threshold'],
    [['chat', 'http://127.0.0.1:9', '--pairs', '0'], 'not a number from 1'],
    [['group', 'http://127.0.0.1:9', '--members', '1'], 'members'],
    [['soak', 'http://127.0.0.1:9', '--fail-if', 'memory-growth>1'], '--metrics URL'],
    [['scenario', '/nowhere.yaml', 'http://127.0.0.1:9'], 'there is no such file'],
    [['report', '/nowhere.json'], 'cannot be read (ENOENT)'],
    [['teapot'], 'unknown command'],
  ])('%j is one line with the fix, and exit code 2', async (argv, text) => {
    const { code, stdout, stderr } = await sealwireLoad(folder, argv);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(text)]);
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
  });

  it('in a scenario names the place', async () => {
    const file = join(folder, 'bad.yaml');
    writeFileSync(file, 'phases:\n  - name: x\n    duration: 5\n    run:\n      - chat: { pears: 2 }\n');
    const { code, stderr } = await sealwireLoad(folder, ['scenario', file, 'http://127.0.0.1:9']);
    expect(code).toBe(2);
    expect(stderr).toContain('phases[0].duration');
    expect(stderr).toContain('pears');
  });

  it('of a server that is not there is said before anything is made', async () => {
    const home = mkdtempSync(join(folder, 'none-'));
    const { code, stderr } = await sealwireLoad(home, ['chat', 'http://127.0.0.1:9']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('is it running, and the address right?')]);
    expect(existsSync(join(home, '.local'))).toBe(false);
  });
});
