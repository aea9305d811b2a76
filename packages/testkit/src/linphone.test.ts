/**
 * A Linphone user's device from its set-up to its removal: the real servers and the real command line, each a process, and genuine
 * liblime with libcurl's Digest. Messages reach it through the relay, as a bridge would pass them on.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { decodeContent } from '@sealwire/wire/envelope';
import { parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { findPeer, LimePeer } from '../../../interop/lime-peer/lime-peer.mjs';
import { ServerProcess } from './faults/server-process.ts';
import { endAllProcesses, SourceProcess } from './faults/source-process.ts';
import { Bridge, loginByAppPassword } from './linphone/bridge.ts';
import { LiblimeAccount } from './linphone/liblime-account.ts';

jest.setTimeout(60_000);

const program = findPeer();
const skipped = 'missing' in program ? ` (skipped: the peer is ${program.missing})` : '';
const folder = mkdtempSync(join(tmpdir(), 'sealwire-linphone-'));
const ALICE = parseAccountAddress('sip:alice@example.org');
const utf8 = (text: string) => new TextEncoder().encode(text);

let server: ServerProcess;
let peer: LimePeer;

type JsonRecord = Record<string, unknown>;

/** One command of a person, to its end. */
async function sealwire(
  name: string,
  ...args: string[]
): Promise<{ code: number | null; records: JsonRecord[]; stderr: string }> {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const passphrase = join(home, 'passphrase');
  writeFileSync(passphrase, `the long passphrase of ${name}\n`, { mode: 0o600 });
  const env = { HOME: home, SEALWIRE_SERVER: server.origin, SEALWIRE_PASSPHRASE_FILE: passphrase };
  const run = new SourceProcess('apps/cli/src/main.ts', [...args, '--json'], env, home);
  const code = await run.ended;
  const records = run.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as JsonRecord);
  return { code, records, stderr: run.stderr };
}

const messagesOf = ({ records }: { records: JsonRecord[] }) => records.filter(({ event }) => event === 'message');

beforeAll(async () => {
  if (skipped) return;
  server = await ServerProcess.on(join(folder, 'server'), ['--domain', 'example.org']);
  await server.start();
  peer = new LimePeer((program as { path: string }).path);
  expect(await sealwire('alice', 'register', '-u', 'alice')).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await peer?.quit();
  await endAllProcesses();
  rmSync(folder, { recursive: true });
});

describe.each(['c25519', 'c448'] as const)(`a liblime device on %s${skipped}`, (curve) => {
  const name = `bob-${curve}`;
  const BOB = parseAccountAddress(`sip:${name}@example.org`);
  const device = parseDeviceId(`${BOB};gr=urn:uuid:b0b${curve === 'c448' ? 2 : 1}0000-0000-4000-8000-000000000001`);
  let password: string;
  let phone: LiblimeAccount;
  const login = () => ({ origin: server.origin, device, user: name, password });
  const test = skipped ? it.skip : it;

  test('registers with an app password, waits, is shown with its keys, and gets no message yet', async () => {
    expect(await sealwire(name, 'register', '-u', name)).toMatchObject({ code: 0 });
    const made = await sealwire(name, 'app-passwords', 'make', 'Linphone');
    expect(made).toMatchObject({ code: 0, records: [{ user: name, realm: 'example.org' }] });
    password = made.records[0]!.password as string;
    const settings = { device, curve, server: `${server.origin}/lime`, user: name };
    const guessing = new LiblimeAccount(peer, folder, { ...settings, password: 'guessed' });
    await expect(guessing.register()).rejects.toThrow('401');
    phone = new LiblimeAccount(peer, folder, { ...settings, password });
    await phone.register();

    const key = Buffer.from(await phone.identityKey()).toString('hex');
    const { records } = await sealwire(name, 'devices');
    expect(records.map(({ state, id, identities }) => [state, id, identities])).toEqual([
      ['listed', expect.any(String), undefined],
      ['waiting', device, [{ curve, identityKey: key }]],
    ]);
    await expect(loginByAppPassword(login())).rejects.toThrow('unauthorized');
    expect(await sealwire('alice', 'send', '-t', BOB, '-m', 'to your desk only')).toMatchObject({ code: 0 });
    expect(messagesOf(await sealwire(name, 'listen', '--until-caught-up'))).toMatchObject([
      { text: 'to your desk only' },
    ]);
  });

  test('is admitted only when the owner says so', async () => {
    const unasked = await sealwire(name, 'devices', 'admit', device);
    expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining('--yes')]);
    const admitted = await sealwire(name, 'devices', 'admit', device, '--yes');
    expect(admitted).toMatchObject({ code: 0, records: [{ event: 'admitted', id: device }] });
    expect(await sealwire(name, 'devices', 'admit', device, '--yes')).toMatchObject({ code: 1 });
    const { records } = await sealwire(name, 'devices');
    expect(records.map(({ state }) => state)).toEqual(['listed', 'listed']);
  });

  test('reads what is sent to `sip:…`, answers in bare text, and its owner’s other device has both', async () => {
    const bridge = await Bridge.connect(login());
    const sent = await sealwire('alice', 'send', '-t', BOB, '-m', 'hello on every device');
    expect(sent).toMatchObject({ code: 0, records: [{ event: 'accepted', to: BOB }] });
    const { from, letter } = await bridge.next();
    expect(letter.user).toBe(BOB);
    const content = decodeContent(await phone.decrypt(from, letter));
    expect({ ...content, body: Buffer.from(content.body).toString() }).toMatchObject({
      type: 'text/plain',
      body: 'hello on every device',
      id: sent.records[0]!.id,
    });

    const desk = (await sealwire(name, 'devices')).records.find(({ current }) => current)!.id as string;
    const answer = await phone.encrypt([from, parseDeviceId(desk)], ALICE, utf8('grüße from the phone'));
    expect(await bridge.send(ALICE, answer.parts, answer.cipherMessage)).toBe('accepted');
    const bare = { text: 'grüße from the phone', type: 'text/plain', bare: true, from: BOB, device };
    expect(messagesOf(await sealwire('alice', 'listen', '--until-caught-up'))).toMatchObject([
      { ...bare, conversation: BOB },
    ]);
    expect(messagesOf(await sealwire(name, 'listen', '--until-caught-up'))).toMatchObject([
      { text: 'hello on every device', conversation: ALICE },
      { ...bare, conversation: ALICE },
    ]);
    bridge.end();
  });

  test('gets what its owner writes elsewhere, and no more once it is removed', async () => {
    const bridge = await Bridge.connect(login());
    expect(await sealwire(name, 'send', '-t', 'sip:alice@example.org', '-m', 'from my desk')).toMatchObject({
      code: 0,
    });
    const { from, letter } = await bridge.next();
    expect(letter.user).toBe(ALICE);
    expect(Buffer.from(decodeContent(await phone.decrypt(from, letter)).body).toString()).toBe('from my desk');

    expect(await sealwire(name, 'devices', 'remove', device)).toMatchObject({ code: 0 });
    await bridge.closed;
    await expect(loginByAppPassword(login())).rejects.toThrow('unauthorized');
    expect(await sealwire('alice', 'send', '-t', BOB, '-m', 'to your desk again')).toMatchObject({ code: 0 });
    expect(messagesOf(await sealwire('alice', 'listen', '--until-caught-up'))).toMatchObject([
      { text: 'from my desk' },
    ]);
    expect(messagesOf(await sealwire(name, 'listen', '--until-caught-up'))).toMatchObject([
      { text: 'to your desk again' },
    ]);
  });
});
