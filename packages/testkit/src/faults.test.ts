/**
 * The promises of the relay under kill -9: real server processes over LMDB, many sockets, and an oracle that compares what senders
 * were told with what recipients got (cases A01, A26, E07). What is random comes from a seed; waits are for conditions.
 * How soon a crowd is back `sealwire-load storm` measures, on a machine that does nothing else (docs/performance.md, 13).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client } from '@sealwire/client/client';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import { connectSocket } from '@sealwire/client/node/transport';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { seededNumbers } from '@sealwire/crypto/testing/seeded-random';
import { closeCodeOf } from '@sealwire/wire/errors';
import { Crowd } from './faults/crowd.ts';
import { LightDevice } from './faults/light-device.ts';
import { type Inhabitant, openStoreOf, populate } from './faults/population.ts';
import { ServerProcess } from './faults/server-process.ts';
import { endAllProcesses } from './faults/source-process.ts';
import { takeTexts } from './person.ts';

jest.setTimeout(90_000);

const PATIENCE_MS = 30_000;
const DEVICES_EACH = 10;
/** Messages a turn of the event loop. */
const PRESSURE = 10;
const PRESSURE_TURNS = 30;
const KEPT = { lost: [], duplicated: [], reordered: [], foreign: [] };

let folder: string;
let server: ServerProcess;
let endings: (() => unknown)[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-faults-'));
  server = await ServerProcess.on(folder);
  endings = [];
});

afterEach(async () => {
  for (const end of endings) await end();
  await endAllProcesses();
  rmSync(folder, { recursive: true });
});

/** `sockets` devices, all of them connected to the server, which is started. */
async function crowdOf(sockets: number, writers: number, seed: number): Promise<Crowd> {
  const inhabitants = await populate(server, sockets / DEVICES_EACH, DEVICES_EACH);
  await server.start();
  const random = seededNumbers(seed);
  const crowd = new Crowd({ origin: server.origin, inhabitants, devicesEach: DEVICES_EACH, writers, random });
  endings.push(() => crowd.end());
  await crowd.allOnline(PATIENCE_MS);
  return crowd;
}

/**
 * Kills the server in the middle of things: messages are written faster than it takes them until `answers` have been accepted, so that
 * some are on their way, some with the store, and some stored with the answer not yet sent.
 */
async function killUnderPressure(crowd: Crowd, answers: number): Promise<void> {
  const enough = crowd.accepted + answers;
  for (let turn = 0; turn < PRESSURE_TURNS && crowd.accepted < enough; turn++) {
    crowd.burst(PRESSURE);
    await nextTurn();
  }
  await crowd.until('enough accepted', () => crowd.accepted >= enough, PATIENCE_MS);
  await server.kill();
}

async function expectPromisesKept(crowd: Crowd): Promise<void> {
  crowd.stopWriting();
  await crowd.settled(PATIENCE_MS);
  expect(crowd.judge()).toMatchObject(KEPT);
  expect(crowd.devices.flatMap(({ refusals }) => refusals)).toEqual([]);
}

/** What was delivered and acknowledged is gone: the server stops in order, and its mailboxes are read. */
async function expectEmptyMailboxes(crowd: Crowd): Promise<void> {
  await crowd.acknowledged();
  await server.stop();
  const store = await openStoreOf(server);
  const held = await Promise.all(crowd.devices.map(({ device }) => store.mailboxes.usage(device)));
  await store.close();
  expect(held.filter(({ messages }) => messages > 0)).toEqual([]);
}

describe('kill -9 of the server', () => {
  it('A01: 1000 sockets, 100 messages a second: nothing accepted is lost, doubled or out of order, and all come back', async () => {
    const crowd = await crowdOf(1_000, 50, 1);
    crowd.startWriting(100);
    await crowd.until('messages flow', () => crowd.accepted >= 200, PATIENCE_MS);
    await killUnderPressure(crowd, 10);
    await crowd.until('everybody has noticed', () => crowd.online === 0, PATIENCE_MS);

    await server.start();
    await crowd.allOnline(PATIENCE_MS);
    const { accepted } = crowd;
    await crowd.until('messages flow again', () => crowd.accepted >= accepted + 200, PATIENCE_MS);
    await expectPromisesKept(crowd);
    await expectEmptyMailboxes(crowd);
  });

  it('A26: five times in a row, at random moments, with 300 sockets and two people who use the SDK', async () => {
    const crowd = await crowdOf(300, 30, 26);
    const [alice, bob] = await Promise.all([sdkClient('alice'), sdkClient('bob')]);
    void alice.connect();
    void bob.connect();
    const said: string[] = [];
    const accepted: Promise<unknown>[] = [];
    const say = async () => {
      said.push(`line ${said.length}`);
      accepted.push((await alice.send('bob', said.at(-1)!)).accepted);
    };
    const random = seededNumbers(5);
    crowd.startWriting(100);
    for (let round = 0; round < 5; round++) {
      const enough = crowd.accepted + 50 + Math.floor(random() * 100);
      await crowd.until('messages flow', () => crowd.accepted >= enough, PATIENCE_MS);
      await say();
      await say();
      await killUnderPressure(crowd, Math.floor(random() * 20));
      await say();
      await server.start();
      await crowd.allOnline(PATIENCE_MS);
    }
    await expectPromisesKept(crowd);
    await say();
    expect(await takeTexts(bob, said.length)).toEqual(said);
    await Promise.all(accepted);
    await alice.close();
    await bob.close();
    await expectEmptyMailboxes(crowd);
  });

  async function sdkClient(name: string): Promise<Client> {
    const runtime = { crypto: nodeCrypto(), random: systemRandom, now: Date.now, fetch, connectSocket };
    const client = await Client.register({ server: server.origin, name, storage: new MemoryStorage(), runtime });
    endings.push(() => client.close());
    return client;
  }
});

it('E07: a device removed over the API: socket closed with 4401 within a second, token dead, mailbox erased; others untouched', async () => {
  const [alice, tablet, bob, phone] = (await populate(server, 2, 2)) as [
    Inhabitant,
    Inhabitant,
    Inhabitant,
    Inhabitant,
  ];
  await server.start();
  let changed = () => {};
  const online = (inhabitant: Inhabitant) => {
    const url = `${server.origin.replace('http', 'ws')}/relay`;
    const device = new LightDevice(inhabitant, { url, random: seededNumbers(7), changed: () => changed() });
    endings.push(() => device.end());
    return device;
  };
  const until = (isSo: () => boolean) =>
    new Promise<void>((resolve) => {
      changed = () => isSo() && resolve();
      changed();
    });
  const call = (method: string, path: string, { token }: Inhabitant) =>
    fetch(`${server.origin}${path}`, { method, headers: { authorization: `Bearer ${token}` } });

  // The tablet is away when it gets a message, so that its mailbox has something to erase.
  const writer = online(bob);
  writer.send([alice.device, tablet.device]);
  await until(() => writer.acceptedCount === 1);
  const [first, lost, other] = [online(alice), online(tablet), online(phone)];
  lost.keepsQuiet = true;
  await until(() => lost.deliveries.length === 1 && first.online && other.online);

  const removedAt = performance.now();
  const answer = await call('DELETE', `/v1/devices/${encodeURIComponent(tablet.device)}`, alice);
  expect(answer.status).toBe(204);
  await until(() => !lost.online);
  expect(performance.now() - removedAt).toBeLessThan(1_000);
  expect(lost.closes.map(({ code }) => code)).toEqual([closeCodeOf('device-removed')]);

  expect((await call('GET', '/v1/devices', tablet)).status).toBe(401);
  const again = online(tablet);
  await until(() => again.closes.length === 1);
  expect([again.online, again.closes[0]!.code]).toEqual([false, closeCodeOf('device-removed')]);
  writer.send([tablet.device]);
  await until(() => writer.refusals.length === 1);
  expect(writer.refusals).toEqual(['unknown-device']);

  writer.send([alice.device, phone.device]);
  await until(() => first.deliveries.length === 2 && other.deliveries.length === 1);
  expect([first, other, writer].flatMap(({ closes }) => closes)).toEqual([]);

  await server.kill();
  const store = await openStoreOf(server);
  expect(await store.devices.find(tablet.device)).toBeUndefined();
  expect(await store.mailboxes.usage(tablet.device)).toEqual({ messages: 0, bytes: 0 });
  expect((await store.devices.list([alice.address]))[0]!.map(({ id }) => id)).toEqual([alice.device]);
  await store.close();
});
