/**
 * A Linphone user's device from its set-up to its removal: the real servers and the real command line, each a process, and genuine
 * liblime with libcurl's Digest. Messages reach it through the relay, as a bridge would pass them on.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readChatMessage, writeChatMessage } from '@sealwire/cpim/chat-message';
import type { CurveName } from '@sealwire/crypto/port';
import { type DeviceId, parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
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
  const env = { HOME: home, SEALWIRE_SERVER: server.origin };
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
  expect(await sealwire('alice', 'register', '-u', 'alice', '--no-passphrase')).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await peer?.quit();
  await endAllProcesses();
  rmSync(folder, { recursive: true });
});

describe(`two liblime devices of one account, on c25519 and on c448${skipped}`, () => {
  const BOB = parseAccountAddress('sip:bob@example.org');
  let phones: readonly LiblimeAccount[];
  let bridges: readonly Bridge[];
  let password: string;
  const settingsOf = (curve: CurveName) => {
    const device = parseDeviceId(`${BOB};gr=urn:uuid:phone-${curve}`);
    return { device, curve, server: `${server.origin}/lime`, user: 'bob' };
  };
  const loginOf = ({ device }: LiblimeAccount) => ({ origin: server.origin, device, user: 'bob', password });
  const connect = () => Promise.all(phones.map((phone) => Bridge.connect(loginOf(phone))));
  /** What each phone reads next, as Linphone reads it; who wrote it. */
  async function expectRead(user: string, expected: object): Promise<DeviceId> {
    let sender: DeviceId | undefined;
    for (const [i, phone] of phones.entries()) {
      const { from, letter } = await bridges[i]!.next();
      expect(letter.user).toBe(user);
      const message = readChatMessage(await phone.decrypt(from, letter));
      const read = { ...message, body: Buffer.from(message.body).toString() };
      expect(read).toMatchObject({ from, to: user, ...expected });
      sender = from;
    }
    return sender!;
  }
  const test = skipped ? it.skip : it;

  test('register with an app password, wait, are shown with their keys, and get no message yet', async () => {
    expect(await sealwire('bob', 'register', '-u', 'bob', '--no-passphrase')).toMatchObject({ code: 0 });
    const made = await sealwire('bob', 'app-passwords', 'make', 'Linphone');
    expect(made).toMatchObject({ code: 0, records: [{ user: 'bob', realm: 'example.org' }] });
    password = made.records[0]!.password as string;
    const guessing = new LiblimeAccount(peer, folder, { ...settingsOf('c25519'), password: 'guessed' });
    await expect(guessing.register()).rejects.toThrow('401');
    phones = (['c25519', 'c448'] as const).map(
      (curve) => new LiblimeAccount(peer, folder, { ...settingsOf(curve), password }),
    );
    for (const phone of phones) await phone.register();

    const { records } = await sealwire('bob', 'devices');
    const waiting = records.filter(({ state }) => state === 'waiting');
    expect(records.length - waiting.length).toBe(1);
    for (const phone of phones) {
      const identityKey = Buffer.from(await phone.identityKey()).toString('hex');
      const identities = [{ curve: phone.curve, identityKey }];
      expect(waiting).toContainEqual(expect.objectContaining({ id: phone.device, identities }));
      await expect(loginByAppPassword(loginOf(phone))).rejects.toThrow('unauthorized');
    }
    expect(await sealwire('alice', 'send', '-t', BOB, '-m', 'to your desk only')).toMatchObject({ code: 0 });
    expect(messagesOf(await sealwire('bob', 'listen', '--until-caught-up'))).toMatchObject([
      { text: 'to your desk only' },
    ]);
  });

  test('are admitted only when the owner says so', async () => {
    const unasked = await sealwire('bob', 'devices', 'admit', phones[0]!.device);
    expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining('--yes')]);
    for (const { device } of phones) {
      const admitted = await sealwire('bob', 'devices', 'admit', device, '--yes');
      expect(admitted).toMatchObject({ code: 0, records: [{ event: 'admitted', id: device }] });
    }
    expect(await sealwire('bob', 'devices', 'admit', phones[0]!.device, '--yes')).toMatchObject({ code: 1 });
    const { records } = await sealwire('bob', 'devices');
    expect(records.map(({ state }) => state)).toEqual(['listed', 'listed', 'listed']);
  });

  test('read what is sent to `sip:bob@example.org`, and answer; the owner’s other devices have it too', async () => {
    bridges = await connect();
    const sent = await sealwire('alice', 'send', '-t', 'sip:bob@example.org', '-m', 'hello on every device');
    expect(sent).toMatchObject({ code: 0, records: [{ event: 'accepted', to: BOB }] });
    const { id } = sent.records[0]!;
    const alice = await expectRead(BOB, { type: 'text/plain', body: 'hello on every device', id });

    const desk = (await sealwire('bob', 'devices')).records.find(({ current }) => current)!.id as string;
    const answers: object[] = [];
    for (const [i, phone] of phones.entries()) {
      const device = parseDeviceId(phone.device);
      const devices = [alice, parseDeviceId(desk)];
      for (const { text, policy } of [
        { text: `grüße on ${phone.curve}`, policy: 'cipherMessage' },
        { text: `short on ${phone.curve}`, policy: 'DRMessage' },
      ] as const) {
        const { parts, cipherMessage } = await phone.encrypt(devices, ALICE, utf8(text), policy);
        // liblime devices have one curve each: those on the other one get what they cannot be encrypted to.
        const elsewhere = phones.filter((other) => other !== phone);
        const all = [...parts, ...elsewhere.map((other) => ({ device: other.device, content: new Uint8Array(0) }))];
        expect(await bridges[i]!.send(ALICE, parts, cipherMessage)).toBe('device-mismatch');
        expect(await bridges[i]!.send(ALICE, all, cipherMessage)).toBe('accepted');
        answers.push({ bare: true, from: BOB, device, type: 'text/plain', text });
      }
    }
    expect(messagesOf(await sealwire('alice', 'listen', '--until-caught-up'))).toMatchObject(
      answers.map((answer) => ({ ...answer, conversation: BOB })),
    );
    expect(messagesOf(await sealwire('bob', 'listen', '--until-caught-up'))).toMatchObject([
      { text: 'hello on every device', conversation: ALICE },
      ...answers.map((answer) => ({ ...answer, conversation: ALICE })),
    ]);
    for (const bridge of bridges) bridge.end();
  });

  test('write as Linphone does: shown as text with its own id and time; another account as its author is not shown', async () => {
    bridges = await connect();
    // What each could not read of the other's.
    for (const bridge of bridges) for (const _ of [1, 2]) expect((await bridge.next()).letter.message).toHaveLength(0);
    const desk = (await sealwire('bob', 'devices')).records.find(({ current }) => current)!.id as string;
    const alice = (await sealwire('alice', 'devices')).records.find(({ current }) => current)!.id as string;
    const devices = [parseDeviceId(alice), parseDeviceId(desk)];
    const [phone] = phones;
    const message = { to: ALICE, sentAt: Date.UTC(2026, 10, 28), type: 'text/plain', body: utf8('as Linphone writes') };
    const requests = ['positive-delivery', 'display'] as const;
    for (const plain of [
      { ...message, from: phone!.device, id: 'c7Or9sbKscLc', requests, reply: { id: 'abc', sender: alice } },
      { ...message, from: alice, body: utf8('I owe bob a fortune') },
    ]) {
      const { parts, cipherMessage } = await phone!.encrypt(devices, ALICE, writeChatMessage(plain), 'cipherMessage');
      const all = [...parts, { device: phones[1]!.device, content: new Uint8Array(0) }];
      expect(await bridges[0]!.send(ALICE, all, cipherMessage)).toBe('accepted');
    }
    const shown = { id: 'c7Or9sbKscLc', from: BOB, device: phone!.device, text: 'as Linphone writes', requests };
    for (const reader of ['alice', 'bob']) {
      const { records } = await sealwire(reader, 'listen', '--until-caught-up');
      expect(records.filter(({ event }) => event === 'message')).toMatchObject([shown]);
      expect(records.filter(({ event }) => event === 'undecryptable')).toMatchObject([{ code: 'wrong-author' }]);
    }
    for (const bridge of bridges) bridge.end();
  });

  test('get what their owner writes elsewhere, and no more once they are removed', async () => {
    bridges = await connect();
    // What the one could not read of the other's.
    for (const _ of [1, 2]) expect((await bridges[1]!.next()).letter.message).toHaveLength(0);
    expect(await sealwire('bob', 'send', '-t', ALICE, '-m', 'from my desk')).toMatchObject({ code: 0 });
    await expectRead(ALICE, { body: 'from my desk' });

    for (const [i, phone] of phones.entries()) {
      expect(await sealwire('bob', 'devices', 'remove', phone.device)).toMatchObject({ code: 0 });
      await bridges[i]!.closed;
      await expect(loginByAppPassword(loginOf(phone))).rejects.toThrow('unauthorized');
    }
    expect(await sealwire('alice', 'send', '-t', BOB, '-m', 'to your desk again')).toMatchObject({ code: 0 });
    expect(messagesOf(await sealwire('alice', 'listen', '--until-caught-up'))).toMatchObject([
      { text: 'from my desk' },
    ]);
    expect(messagesOf(await sealwire('bob', 'listen', '--until-caught-up'))).toMatchObject([
      { text: 'to your desk again' },
    ]);
  });
});
