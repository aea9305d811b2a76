/** Files by the command line, against a real server process: sent, shown, listed, fetched. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { type InProcessOptions, NO_NETWORK, openInProcess, REAL_RUNTIME } from './testing/in-process.ts';
import { openSealwire, startServer } from './testing/processes.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'sealwire-files-'));
const home = (name: string) => join(folder, name);
const env = () => ({ SEALWIRE_SERVER: server.origin });
const open = (name: string, args: readonly string[], options: InProcessOptions = {}) =>
  openInProcess(home(name), args, { runtime: REAL_RUNTIME, env: env(), ...options });
const as = (name: string, ...args: string[]) => open(name, args).ended;
let server: Awaited<ReturnType<typeof startServer>>;

const photo = join(folder, 'photo.jpg');
/** More than a segment, less than a part. */
const PHOTO = seededRandom(1)(200_000);
/** What the server has of files, encrypted. */
const blobs = () =>
  readdirSync(join(folder, 'server/blobs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name === '1')
    .map((entry) => join(entry.parentPath, entry.name));
const drafts = (at: string) => readdirSync(at).filter((name) => name.endsWith('.part'));

beforeAll(async () => {
  server = await startServer(join(folder, 'server'), ['--logins-per-device', '0', '--logins-per-address', '0']);
  writeFileSync(photo, PHOTO);
  for (const name of ['alice', 'bob', 'carol']) {
    mkdirSync(home(name));
    expect(await as(name, 'register', '-u', name, '--no-passphrase')).toMatchObject({ code: 0 });
  }
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

describe('a file', () => {
  it('is uploaded once for several, told of with a text after it, listed and fetched', async () => {
    const args = ['send', '-t', 'bob', '-t', 'carol', '--file', photo, '-m', 'of yesterday', '--json'];
    const sent = await as('alice', ...args);
    expect([sent.code, sent.stderr]).toEqual([0, '']);
    const shown = { name: 'photo.jpg', type: 'image/jpeg', size: PHOTO.length, expiresAt: expect.any(Number) };
    const events = sent.records.filter(({ event }) => event !== 'upload-progress');
    expect(events[0]).toEqual({ event: 'uploaded', ...shown });
    const accepted = events.slice(1).map(({ event, to, file }) => [event, to, file]);
    for (const to of ['sip:bob@localhost', 'sip:carol@localhost']) {
      const own = accepted.filter(([, addressee]) => addressee === to);
      expect(own).toEqual([
        ['accepted', to, 'photo.jpg'],
        ['accepted', to, undefined],
      ]);
    }
    expect(blobs()).toHaveLength(1);

    expect((await as('bob', 'listen', '--until-caught-up')).stdout).toBe(
      'alice: file photo.jpg (image/jpeg, 195.3 KiB) — sealwire file get 1\nalice: of yesterday\n',
    );
    const carols = await as('carol', 'listen', '--until-caught-up', '--json');
    expect(carols.records[0]).toMatchObject({ event: 'message', file: { id: '1', ...shown } });

    expect((await as('bob', 'file', 'list')).stdout).toMatch(
      /^1 {2}alice: photo\.jpg \(image\/jpeg, 195\.3 KiB\), until \d{4}-\d\d-\d\d\n$/,
    );
    const place = join(folder, 'got.jpg');
    const got = await as('bob', 'file', 'get', '1', '-o', place, '--json');
    expect([got.code, got.records.at(-1)]).toEqual([
      0,
      { event: 'file-received', id: '1', name: 'photo.jpg', type: 'image/jpeg', size: PHOTO.length, path: place },
    ]);
    expect(Buffer.compare(readFileSync(place), PHOTO)).toBe(0);
    // Without -o: here, for its owner only. A process of its own: folder and mode are its own.
    const here = join(folder, 'here');
    mkdirSync(here);
    const fetched = await openSealwire(home('carol'), ['file', 'get', '1'], env(), here).ended;
    expect([fetched.code, fetched.stdout]).toEqual([0, 'saved photo.jpg (image/jpeg, 195.3 KiB) as photo.jpg\n']);
    expect(readdirSync(here)).toEqual(['photo.jpg']);
    expect(statSync(join(here, 'photo.jpg')).mode & 0o777).toBe(0o600);
  });

  it('goes to stdout where that is asked for, but to no terminal', async () => {
    const note = join(folder, 'note.txt');
    writeFileSync(note, 'one\ntwo\n');
    expect((await as('alice', 'send', '-t', 'bob', '--file', note)).stdout).toBe('note.txt accepted for bob\n');
    await as('bob', 'listen', '--until-caught-up');
    expect(await as('bob', 'file', 'get', '2', '-o', '-')).toMatchObject({ code: 0, stdout: 'one\ntwo\n', stderr: '' });
    const shown = await open('bob', ['file', 'get', '2', '-o', '-'], { terminal: true, stdoutTerminal: true }).ended;
    expect([shown.code, shown.stdout, shown.stderr]).toEqual([
      2,
      '',
      expect.stringContaining('not written to a terminal'),
    ]);
  });

  it('that is there is not replaced, but by --force; a number without a file and a folder are mistakes', async () => {
    const place = join(folder, 'mine.txt');
    writeFileSync(place, 'mine');
    const get = (...args: string[]) => as('bob', 'file', 'get', ...args);
    for (const [args, fix] of [
      [['2', '-o', place], 'is there already'],
      [['2', '-o', folder], 'names a folder'],
      [['99', '-o', join(folder, 'x')], '`sealwire file list`'],
      [['../1'], '`sealwire file list`'],
    ] as const) {
      const { code, stdout, stderr } = await get(...args);
      expect([code, stdout, stderr.trim().split('\n').length]).toEqual([2, '', 1]);
      expect(stderr).toContain(fix);
    }
    expect(readFileSync(place, 'utf8')).toBe('mine');
    expect((await get('2', '-o', place, '--force')).code).toBe(0);
    expect(readFileSync(place, 'utf8')).toBe('one\ntwo\n');
  });

  it('is over at its end: neither listed nor asked for', async () => {
    const now = () => Date.now() + 400 * 86_400_000;
    const later = (...args: string[]) => open('bob', args, { runtime: { ...REAL_RUNTIME, ...NO_NETWORK, now } }).ended;
    expect(await later('file', 'list')).toMatchObject({ code: 0, stdout: '' });
    const { code, stderr } = await later('file', 'get', '1');
    expect([code, stderr]).toEqual([1, expect.stringContaining('file 1 is over')]);
  });

  it('for somebody who is not there is not uploaded', async () => {
    const before = blobs();
    const { code, stderr } = await as('alice', 'send', '-t', 'nobody', '--file', photo);
    expect([code, stderr]).toEqual([1, expect.stringContaining('there is no nobody')]);
    expect(blobs()).toEqual(before);
  });

  it('without a server ends with 3, and nothing is queued', async () => {
    const { fetch, connectSocket } = NO_NETWORK;
    const runtime = { ...REAL_RUNTIME, fetch, connectSocket };
    const { code, stdout } = await open('alice', ['send', '-t', 'bob', '--file', photo, '-m', 'x'], { runtime }).ended;
    expect([code, stdout]).toEqual([3, '']);
    expect((await as('bob', 'listen', '--until-caught-up')).stdout).toBe('');
  });
});

describe('while listen has the keys', () => {
  it('files are sent, listed and fetched through it, with the same answers', async () => {
    const listening = openSealwire(home('bob'), ['listen', '--json'], env());
    await listening.says('caught-up');
    const sent = await as('bob', 'send', '-t', 'alice', '--file', photo, '-m', 'from beside', '--json');
    const events = sent.records.filter(({ event }) => event !== 'upload-progress');
    expect([sent.code, events.map(({ event, file, name }) => [event, file ?? name])]).toEqual([
      0,
      [
        ['uploaded', 'photo.jpg'],
        ['accepted', 'photo.jpg'],
        ['accepted', undefined],
      ],
    ]);
    expect(await as('bob', 'send', '-t', 'nobody', '--file', photo)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no nobody'),
    });
    expect((await as('bob', 'file', 'list', '--json')).records.map(({ id, name }) => [id, name])).toEqual([
      ['1', 'photo.jpg'],
      ['2', 'note.txt'],
    ]);
    const place = join(folder, 'through.jpg');
    expect(await as('bob', 'file', 'get', '1', '-o', place)).toMatchObject({ code: 0, stderr: '' });
    expect(Buffer.compare(readFileSync(place), PHOTO)).toBe(0);
    expect(await as('bob', 'file', 'get', '99', '-o', join(folder, 'x'))).toMatchObject({ code: 2 });
    // A place that will not do ends it over there, too, which goes on with other work.
    expect(await as('bob', 'file', 'get', '1', '-o', place)).toMatchObject({ code: 2 });
    expect(await as('bob', 'file', 'list')).toMatchObject({ code: 0 });
    listening.kill('SIGINT');
    expect((await listening.ended).code).toBe(0);
    expect((await as('alice', 'listen', '--until-caught-up')).stdout).toMatch(
      /^bob: file photo\.jpg .*\nbob: from beside\n$/,
    );
  });
});

describe('chat', () => {
  it('sends a file beside the lines, and tells of one that there is not', async () => {
    const options = { terminal: true };
    const chat = open('alice', ['chat', '-t', 'bob'], options);
    await chat.says('you → bob: ');
    chat.stdin.write('/file /no/such/file\r');
    await chat.says('there is no file /no/such/file');
    chat.stdin.write(`/file ${photo}\rbeside\r`);
    await chat.says('photo.jpg is on the server');
    chat.stdin.write('/quit\r');
    expect((await chat.ended).code).toBe(1);
    const { stdout } = await as('bob', 'listen', '--until-caught-up');
    expect(stdout.split('\n').sort()).toEqual([
      '',
      'alice: beside',
      'alice: file photo.jpg (image/jpeg, 195.3 KiB) — sealwire file get 3',
    ]);
  });
});

describe('a transfer that ends in the middle', () => {
  /** The first bytes of a file that goes either way, and then nothing. */
  const stalling =
    (begun: () => void) =>
    async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
      const { method = 'GET', signal } = init ?? {};
      if (!String(input).includes('/v1/files/')) return fetch(input, init);
      begun();
      if (method === 'GET') {
        const response = await fetch(input, init);
        const reader = response.body!.getReader();
        let given = 0;
        const body = new ReadableStream<Uint8Array>({
          async pull(controller) {
            if (given++ === 0) controller.enqueue((await reader.read()).value!);
            else
              await new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
          },
          cancel: () => reader.cancel(),
        });
        return new Response(body, { status: response.status, headers: response.headers });
      }
      return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));
    };

  it('T137: by Ctrl-C: exit code 130, and nothing half-written is left', async () => {
    let begun = 0;
    const runtime = { ...REAL_RUNTIME, fetch: stalling(() => begun++) };
    const at = join(folder, 'stopped');
    mkdirSync(at);
    const getting = open('bob', ['file', 'get', '1', '-o', join(at, 'x')], { runtime });
    while (drafts(at).length === 0) await new Promise((resolve) => setImmediate(resolve));
    getting.interrupt();
    expect((await getting.ended).code).toBe(130);
    expect(readdirSync(at)).toEqual([]);

    const sending = open('alice', ['send', '-t', 'bob', '--file', photo], { runtime });
    while (begun < 2) await new Promise((resolve) => setImmediate(resolve));
    sending.interrupt();
    expect((await sending.ended).code).toBe(130);
    expect((await as('bob', 'listen', '--until-caught-up')).stdout).toBe('');
  });

  it('T137: by a file that the server has changed: one line, and nothing is left', async () => {
    const note = join(folder, 'spoiled.bin');
    writeFileSync(note, PHOTO);
    const before = new Set(blobs());
    expect((await as('alice', 'send', '-t', 'bob', '--file', note)).code).toBe(0);
    await as('bob', 'listen', '--until-caught-up');
    const [blob] = blobs().filter((path) => !before.has(path));
    const good = readFileSync(blob!);
    const at = join(folder, 'spoiled');
    mkdirSync(at);
    writeFileSync(blob!, Buffer.from(good).fill(0, 100_000, 100_001));
    const { code, stdout, stderr } = await as('bob', 'file', 'get', '4', '-o', join(at, 'x'));
    expect([code, stdout, stderr]).toEqual([
      1,
      '',
      expect.stringMatching(/^sealwire: this is not the whole file.*\n$/),
    ]);
    expect(readdirSync(at)).toEqual([]);
    writeFileSync(blob!, good);
    expect((await as('bob', 'file', 'get', '4', '-o', join(at, 'x'))).code).toBe(0);
  });
});
