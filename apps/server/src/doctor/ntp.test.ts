/** The question to an NTP server, against one of our own on the loopback that is right, wrong, or lies. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkClock } from './check-clock.ts';
import { type Means, systemMeans } from './means.ts';
import { doctorSettings } from './settings.ts';

const NOW = Date.parse('2026-11-29T12:00:00.250Z');
const EPOCH_SECONDS = 2_208_988_800;

let server: Socket;
let asked: Buffer[];
let clock: number[];
/** What the server makes of an answer that is as it should be; nothing: it keeps silent. */
let spoil: (answer: Buffer) => Buffer | undefined;

beforeEach(async () => {
  asked = [];
  clock = [];
  spoil = (answer) => answer;
  server = createSocket('udp4').bind(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => void server.close());

function put(answer: Buffer, at: number, ms: number): void {
  answer.writeUInt32BE((Math.floor(ms / 1_000) + EPOCH_SECONDS) % 2 ** 32, at);
  answer.writeUInt32BE(Math.floor(((ms % 1_000) / 1_000) * 2 ** 32), at + 4);
}

/** Its clock shows `ms` when it is asked, and answers `busyMs` later. */
function shows(ms: number, busyMs = 0): void {
  server.on('message', (request, { port }) => {
    asked.push(request);
    const answer = Buffer.alloc(48);
    [answer[0], answer[1]] = [0x24, 2];
    request.copy(answer, 24, 40, 48);
    put(answer, 32, ms);
    put(answer, 40, ms + busyMs);
    const said = spoil(answer);
    if (said) server.send(said, port, '127.0.0.1');
  });
}

const means = (patienceMs = 10_000): Means => ({
  ...systemMeans,
  lookup: async () => ['127.0.0.1'],
  now: () => clock.shift() ?? NOW,
  patienceMs,
});
const finding = (patienceMs?: number) => checkClock(`time.example.org:${server.address().port}`, means(patienceMs));

describe('beside an NTP server', () => {
  it('T210: a clock that is right is so to the millisecond, whatever the way and the server take', async () => {
    // 40 ms there, 10 at the server, 40 back; both clocks agree.
    clock = [NOW, NOW + 90];
    shows(NOW + 40, 10);
    expect(await finding()).toEqual({
      name: 'ntp',
      detail: expect.stringMatching(/^this clock is 0\.000 s \S+( of)? time\.example\.org:\d+, give or take 0\.040$/),
    });
  });

  it.each([
    ['ahead of', -90_000, '90.000 s ahead of'],
    ['behind', 3_600_500, '3600.500 s behind'],
  ])('T210: a clock that is %s it is told, with what to do', async (_, off, words) => {
    shows(NOW + off);
    expect(await finding()).toMatchObject({
      detail: expect.stringContaining(`this clock is ${words} time.example.org`),
      fix: expect.stringContaining('run NTP on this machine'),
    });
  });

  it('counts on when the count of seconds begins anew in 2036', async () => {
    const later = Date.parse('2036-02-08T00:00:00Z');
    clock = [later, later];
    shows(later + 200);
    expect((await finding()).detail).toContain('0.200 s behind');
  });

  it('T222: the question says nothing of this machine: its time is random, and every other field empty', async () => {
    shows(NOW);
    await finding();
    await finding();
    const [first, second] = asked as [Buffer, Buffer];
    expect([first.length, first[0]]).toEqual([48, 0x23]);
    expect(first.subarray(1, 40)).toEqual(Buffer.alloc(39));
    expect(first.subarray(40)).not.toEqual(second.subarray(40));
  });
});

describe('an NTP server that', () => {
  it.each<[string, (answer: Buffer) => Buffer | undefined, string]>([
    ['does not know the time', (answer) => Buffer.from(answer.fill(0xe4, 0, 1)), 'does not know the time itself'],
    ['is no server', (answer) => Buffer.from(answer.fill(0x23, 0, 1)), 'answers, and not as an NTP server'],
    ['refuses', (answer) => Buffer.from(answer.fill(0, 1, 2).fill('RATE', 12, 16)), 'refuses (RATE)'],
  ])('%s: told as such', async (_, change, words) => {
    spoil = change;
    shows(NOW);
    expect(await finding()).toMatchObject({
      detail: expect.stringContaining(`: ${words}`),
      fix: expect.stringContaining('name another server'),
    });
  });

  it.each<[string, (answer: Buffer) => Buffer | undefined]>([
    ['keeps silent', () => undefined],
    ['answers what was not asked (T222)', (answer) => Buffer.from(answer.fill(7, 24, 32))],
    ['answers half', (answer) => answer.subarray(0, 47)],
  ])('%s: asked three times, and told', async (_, change) => {
    spoil = change;
    shows(NOW);
    expect(await finding(90)).toMatchObject({
      detail: expect.stringContaining(': does not answer'),
      fix: expect.any(String),
    });
    expect(asked).toHaveLength(3);
  });

  it('has lost the first question is asked again', async () => {
    spoil = (answer) => (asked.length === 1 ? undefined : answer);
    shows(NOW);
    expect((await finding(3_000)).fix).toBeUndefined();
  });

  it('is not there: told by its port', async () => {
    const { port } = server.address();
    server.close();
    server = createSocket('udp4').bind(0, '127.0.0.1');
    await once(server, 'listening');
    expect((await checkClock(`time.example.org:${port}`, means())).detail).toContain('ECONNREFUSED');
  });
});

it('a name of a server is a host, with a port or without', () => {
  const { NTP } = doctorSettings.shape;
  for (const good of ['time.example.org', '10.0.0.1:1123', '[2001:db8::1]', '[2001:db8::1]:123'])
    expect(NTP.safeParse(good).success).toBe(true);
  for (const bad of ['', 'ntp://time.example.org', 'a b', '2001:db8::1', 'host:', 'host/path'])
    expect(NTP.safeParse(bad).success).toBe(false);
});
