/**
 * Users of NES with a real broker (mosquitto; skipped aloud without) and our public-keys provider in a process of its own, whose mails go
 * into its folder: from the first key to a hostile publisher.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { generateKeys, parsePrivateKey, publicKeyText } from '@sealwire/nes/keys';
import { topicOf, type Username } from '@sealwire/nes/username';
import { connectAsync } from 'mqtt';
import { Output } from '../output.ts';
import { type InProcess, openInProcess, REAL_RUNTIME } from '../testing/in-process.ts';
import { hasMosquitto, type Mosquitto, startMosquitto } from '../testing/mosquitto.ts';
import { startServer } from '../testing/processes.ts';
import type { Result } from '../testing/result.ts';
import { createNesAccount, nesContextFor } from './nes-account.ts';

jest.setTimeout(60_000);

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../../packages/nes/vectors/${name}.json`, import.meta.url), 'utf8'));
const vectors: Record<string, Record<'message' | 'sign', { private: string; public: string }>> = read('keys').users;
const folder = mkdtempSync(join(tmpdir(), 'sealwire-nes-'));
const providerKey = join(folder, 'provider.pem');
const passphraseFile = join(folder, 'passphrase');
let broker: Mosquitto;
let server: Awaited<ReturnType<typeof startServer>>;

const home = (name: string) => join(folder, name);
const open = (name: string, ...args: string[]): InProcess =>
  openInProcess(home(name), ['nes', ...args], {
    runtime: REAL_RUNTIME,
    ...(args[0] === 'chat' ? { input: 'one line\nanother\n' } : {}),
  });
const as = (name: string, ...args: string[]): Promise<Result> => open(name, ...args).ended;
const send = (from: string, to: string, text: string) => as(from, 'send', '-t', to, '-m', text);
const textsOf = ({ records }: Pick<Result, 'records'>) =>
  records.filter(({ event }) => event === 'nes-message').map(({ text }) => text);
const configure = (name: string) => as(name, 'config', '-b', broker.url, '-p', server.origin, '-P', providerKey);

/** Opens the first link of the newest mail. */
async function activate(): Promise<void> {
  const mails = join(folder, 'server', 'mail');
  const newest = readdirSync(mails).sort().at(-1)!;
  const text = readFileSync(join(mails, newest), 'utf8').replaceAll('=\r\n', '').replaceAll('=3D', '=');
  const [link] = /http:\S+\/users\/\S+\/\S+/.exec(text)!;
  expect(await (await fetch(link)).text()).toBe('user activated\n');
}

/** With keys of the vectors, so that what the genuine client made can be read. */
async function makeVectorUser(name: string): Promise<void> {
  const keys = vectors[name]!;
  const { surroundings, output } = { surroundings: surroundingsOf(name), output: quiet() };
  const context = nesContextFor({ surroundings, output }, { user: name });
  const [messageKeys, signKeys] = [parsePrivateKey(keys.message.private), parsePrivateKey(keys.sign.private)];
  await createNesAccount(context, { messageKeys, signKeys }, false);
  expect(await configure(name)).toMatchObject({ code: 0 });
  expect(await as(name, 'register', '-e', `${name}@mail.example`)).toMatchObject({ code: 0 });
  await activate();
  await listenFirst(name);
}

/** From then on the broker keeps what comes. */
async function listenFirst(name: string, ...secret: string[]): Promise<void> {
  const listening = open(name, 'listen', ...secret);
  await listening.says('listening as');
  listening.interrupt();
  await listening.ended;
}

function surroundingsOf(name: string) {
  const [stdin, stdout, stderr] = [process.stdin, process.stdout, process.stderr];
  const streams = { stdin, stdout, stderr, argv: [], env: {}, osUser: 'tester', version: '1' };
  return { ...streams, home: home(name), runtime: REAL_RUNTIME, interrupted: new AbortController().signal };
}

function quiet(): Output {
  const nowhere = { write: () => true } as never;
  return new Output({ stdout: nowhere, stderr: nowhere, json: false, color: false });
}

/** Anybody on the network of the broker. */
async function withStranger<T>(work: (client: Awaited<ReturnType<typeof connectAsync>>) => Promise<T>): Promise<T> {
  const client = await connectAsync(broker.url, { protocolVersion: 4, reconnectPeriod: 0 });
  try {
    return await work(client);
  } finally {
    await client.endAsync();
  }
}

(hasMosquitto ? describe : describe.skip)('users of NES (skipped without mosquitto)', () => {
  beforeAll(async () => {
    broker = await startMosquitto(join(folder, 'broker'));
    server = await startServer(join(folder, 'server'), ['--nes-provider', 'on']);
    const { publicKey } = parsePrivateKey(readFileSync(join(folder, 'server', 'secrets', 'nes-key.pem'), 'utf8'));
    writeFileSync(providerKey, publicKeyText(publicKey));
    writeFileSync(passphraseFile, 'correct horse battery staple\n', { mode: 0o600 });
    for (const name of ['alice', 'bob', 'carol']) mkdirSync(home(name));
    for (const name of ['alice', 'bob']) await makeVectorUser(name);
  });
  afterAll(async () => {
    await broker?.stop();
    await server?.stop();
    rmSync(folder, { recursive: true });
  });

  it('make keys, register, are activated by the mail, and talk both ways', async () => {
    const secret = ['--passphrase-file', passphraseFile];
    const made = await as('carol', 'generate', '-u', 'carol', ...secret, '--json');
    expect(made.records).toEqual([{ event: 'nes-keys', user: 'carol', bits: 2_048 }]);
    const set = ['-b', broker.url.replace('//', '//me:hidden@'), '-p', `${server.origin}/`, '-P', providerKey];
    const settings = await as('carol', 'config', ...secret, ...set);
    expect(settings.stdout).toContain(`broker        ${broker.url.replace('//', '//me:***@')}\n`);
    const early = await send('alice', 'carol', 'too early');
    expect(early).toMatchObject({ code: 1, stderr: expect.stringContaining('the provider knows no carol') });
    expect(await as('carol', 'register', '-e', 'carol@mail.example', ...secret)).toMatchObject({ code: 0 });
    await activate();
    await listenFirst('carol', ...secret);
    const listening = open('carol', 'listen', '--count', '1', '--json', ...secret);
    const again = await as('carol', 'register', '-e', 'carol@mail.example', ...secret);
    expect(again.stderr).toContain('the provider refuses: user already exist');
    const chat = await as('bob', 'chat', '-t', 'carol');
    expect([chat.code, chat.stdout]).toEqual([0, 'published for carol\npublished for carol\n']);
    const { records } = await listening.ended;
    expect(records).toEqual([
      {
        event: 'nes-message',
        from: 'bob',
        to: 'carol',
        text: 'one line',
        sentAt: expect.any(Number),
        isFarInTime: false,
      },
    ]);
    const rest = await as('carol', 'listen', '--count', '1', ...secret);
    expect(rest.stdout).toBe('bob: another\n');
    const bob = open('bob', 'listen', '--count', '1');
    await as('carol', 'send', '-t', 'bob', '-m', 'two\nlines \u001b[31m', ...secret);
    expect((await bob.ended).stdout).toBe('carol: two\n  lines \\u{1b}[31m\n');
  });

  it('T148: have nothing of their keys on the disk that a passphrase does not open', async () => {
    const wrong = join(folder, 'wrong');
    writeFileSync(wrong, 'another passphrase\n', { mode: 0o600 });
    const refused = await as('carol', 'listen', '--passphrase-file', wrong);
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('wrong passphrase')]);
    const place = join(home('carol'), '.local/share/sealwire-nes/carol');
    const files = readdirSync(place, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const all = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join();
    expect(all.length).toBeGreaterThan(1_000);
    expect(all).not.toMatch(/PRIVATE KEY|hidden|alice|bob/);
  });

  it('T149: lose nothing that the broker took, and see nothing twice, while it is away and comes back', async () => {
    for (const n of [1, 2, 3]) expect(await send('alice', 'bob', `waits ${n}`)).toMatchObject({ code: 0 });
    await broker.stop();
    expect(await as('alice', 'send', '-t', 'bob', '-m', 'nobody takes it', '--wait', '0.5')).toMatchObject({ code: 3 });
    const listening = open('bob', 'listen', '--json', '--count', '5');
    await listening.says('no connection to the broker');
    await broker.start();
    await listening.says('waits 3');
    await broker.stop();
    await broker.start();
    for (const n of [4, 5]) expect(await send('alice', 'bob', `waits ${n}`)).toMatchObject({ code: 0 });
    expect(textsOf(await listening.ended)).toEqual([1, 2, 3, 4, 5].map((n) => `waits ${n}`));
  });

  it('T150: are shown what alice wrote by her hand and once, whatever a hostile publisher sends', async () => {
    const frames = Object.entries(
      read('behaviour').frames as Record<string, { shown?: string; payloads?: (string | { hex: string })[] }>,
    );
    const refusedHere = ['to is somebody else', 'to missing', 'from with path', 'from with query', 'timestamp missing'];
    const refusedToo = ['padding only last byte right', 'message invalid utf8'];
    const known = new Set<string>();
    const expected: string[] = [];
    const payloads: Buffer[] = [];
    for (const [name, { shown = '', payloads: sent = [] }] of frames)
      for (const payload of sent) {
        const bytes = typeof payload === 'string' ? Buffer.from(payload) : Buffer.from(payload.hex, 'hex');
        payloads.push(bytes);
        const isShown = shown.startsWith('alice > ') && ![...refusedHere, ...refusedToo].includes(name);
        const signature = isShown ? /"signature":\s*"([^"]*)"/i.exec(String(bytes))![1]!.replace(/\\[rn]/g, '') : '';
        expected.push(!isShown ? 'refused' : known.has(signature) ? 'replayed' : 'shown');
        known.add(signature);
      }
    const listening = open('bob', 'listen', '--json');
    await withStranger(async (client) => {
      for (const payload of payloads) await client.publishAsync(topicOf('bob' as Username), payload, { qos: 2 });
    });
    await send('alice', 'bob', 'the end');
    await listening.says('the end');
    listening.interrupt();
    const { code, records } = await listening.ended;
    const seen = records.map((one) =>
      one.event === 'nes-message' ? 'shown' : one.code === 'replayed' ? one.code : 'refused',
    );
    expect(seen).toEqual([...expected, 'shown']);
    expect([code, payloads.length]).toEqual([0, 44]);
  });

  it('T150: are shown a message once, also after they were started anew', async () => {
    const listening = open('bob', 'listen', '--json', '--count', '1');
    const frame = await withStranger(async (spy) => {
      await spy.subscribeAsync('nes/+/message', { qos: 1 });
      const heard = new Promise<Buffer>((resolve) => spy.once('message', (_topic, payload) => resolve(payload)));
      await send('alice', 'bob', 'once');
      return heard;
    });
    expect(textsOf(await listening.ended)).toEqual(['once']);
    await withStranger((client) => client.publishAsync(topicOf('bob' as Username), frame, { qos: 2 }));
    await send('alice', 'bob', 'twice');
    const later = await as('bob', 'listen', '--json', '--count', '1');
    expect(later.records).toMatchObject([{ event: 'nes-refused', code: 'replayed' }, { text: 'twice' }]);
  });

  it('believe no answer that the pinned key of the provider did not sign', async () => {
    const { publicKey } = await generateKeys();
    const other = join(folder, 'other.pem');
    writeFileSync(other, publicKeyText(publicKey));
    expect(await as('bob', 'config', '-P', other)).toMatchObject({ code: 0 });
    const refused = await as('bob', 'send', '-t', 'alice', '-m', 'to whom?', '--json');
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(JSON.parse(refused.stderr)).toMatchObject({ code: 'bad-answer' });
    await send('alice', 'bob', 'who wrote this?');
    const listening = open('bob', 'listen', '--json');
    await listening.says('bad-answer');
    listening.interrupt();
    expect(textsOf(await listening.ended)).toEqual([]);
    expect(await as('bob', 'config', '-P', providerKey)).toMatchObject({ code: 0 });
  });

  it('keep a message with the broker while the provider cannot be asked', async () => {
    await as('bob', 'config', '-p', 'http://127.0.0.1:1');
    const waiting = open('bob', 'listen', '--json');
    await send('alice', 'bob', 'patience');
    await waiting.says('a message waits for it');
    waiting.interrupt();
    expect(textsOf(await waiting.ended)).toEqual([]);
    await as('bob', 'config', '-p', server.origin);
    expect(textsOf(await as('bob', 'listen', '--json', '--count', '1'))).toEqual(['patience']);
  });

  it('are read by one process at a time, and may be written for meanwhile', async () => {
    const listening = open('bob', 'listen', '--json', '--count', '1');
    await send('alice', 'bob', 'first');
    await listening.ended;
    const second = open('bob', 'listen', '--json');
    await send('alice', 'bob', 'second');
    await second.says('second');
    expect(await as('bob', 'listen')).toMatchObject({ code: 5 });
    expect(await send('bob', 'alice', 'meanwhile')).toMatchObject({ code: 0 });
    second.interrupt();
    await second.ended;
  });
});
