/** What operators decide, as sockets feel it: accounts that are shut out, quotas of their own, notices. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { openMemoryBus } from '@sealwire/bus/memory';
import { createAnnouncer } from '@sealwire/service/announce';
import { silentLog } from '@sealwire/service/log';
import { createMetrics } from '@sealwire/service/metrics';
import { readDays } from '@sealwire/store/day-figures';
import { changeStanding } from '@sealwire/store/operator';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import { DEFAULT_SETTINGS } from './settings.ts';
import { messageId, TestClient } from './testing/test-client.ts';
import { losesEverything, openWorld, turns, type World, type WorldOptions } from './testing/test-relay.ts';

const TOKEN_REFUSED = 4101;

let world: World;
let alice: DeviceId;
let bob: DeviceId;
afterEach(() => world.close());

async function begin(options: WorldOptions = {}): Promise<void> {
  world = await openWorld({ nodes: 2, ...options });
  [alice, bob] = [await world.device('alice'), await world.device('bob')];
}

const announcer = () => createAnnouncer({ bus: openMemoryBus(world.hub), log: silentLog, metrics: createMetrics() });
const disable = (device: DeviceId) =>
  changeStanding(world.store, accountOf(device), () => ({ disabledAt: world.time.now() }));

describe('an account that is disabled', () => {
  it('T204: is out on every node without a tick of the clock, with all its devices, and nobody else is', async () => {
    await begin();
    const second = await world.device('bob', 2);
    const sockets = [await world.client(bob, 0), await world.client(second, 1)];
    const other = await world.client(alice, 1);
    for (const socket of [...sockets, other]) await socket.next('caught-up');
    await disable(bob);
    await announcer().accountDisabled(accountOf(bob));
    for (const { closed } of sockets) expect(await closed).toMatchObject({ code: TOKEN_REFUSED });
    await other.settled();
    expect(other.ws.readyState).toBe(other.ws.OPEN);
  });

  it('T204: comes in nowhere by a token that it has, and back when it is enabled', async () => {
    await begin();
    await disable(bob);
    const refused = await TestClient.connect(world.nodes[0]!.url);
    refused.send({ kind: 'hello', token: await world.token(bob), lane: 'both', client: 'test' });
    expect(await refused.closed).toMatchObject({ code: TOKEN_REFUSED });
    await changeStanding(world.store, accountOf(bob), () => ({}));
    await (await world.client(bob, 0)).next('caught-up');
  });

  it('T204: is found by the poll of its socket where the bus lost it', async () => {
    await begin({ wrapBus: losesEverything, settings: { pollFromMs: 1_000, pollToMs: 1_000 } });
    const socket = await world.client(bob, 0);
    await socket.next('caught-up');
    await disable(bob);
    world.time.pass(3_000);
    expect(await socket.closed).toMatchObject({ code: TOKEN_REFUSED });
  });

  it('keeps its mail: what is written to it meanwhile it finds when it is enabled', async () => {
    await begin();
    await disable(bob);
    const from = await world.client(alice, 0);
    from.message(messageId(1), [bob], 'kept');
    await from.next('accepted');
    await changeStanding(world.store, accountOf(bob), () => ({}));
    expect(await (await world.client(bob, 1)).delivered(1)).toEqual(['kept']);
  });
});

describe('a quota of an account', () => {
  it('holds in the place of the one of all, from the next message on', async () => {
    await begin({ settings: { mailbox: { ...DEFAULT_SETTINGS.mailbox, whenFull: 'refuse' } } });
    const from = await world.client(alice, 0);
    from.message(messageId(1), [bob], 'one');
    await from.next('accepted');
    await changeStanding(world.store, accountOf(bob), () => ({ mail: { messages: 2 } }));
    await announcer().devicesChanged(accountOf(bob));
    await turns(4);
    from.message(messageId(2), [bob], 'two');
    await from.next('accepted');
    from.message(messageId(3), [bob], 'three');
    expect(await from.next('rejected')).toMatchObject({ code: 'mailbox-full' });
  });
});

describe('figures of a day', () => {
  const figures = async () => (await readDays(world.store, world.time.now(), 2)).at(-1);
  /** What a process counts it writes once a minute. */
  const written = async () => {
    world.time.pass(61_000);
    await turns(12);
  };

  it('are counted by nodes as sockets come and messages are taken: of all nodes, each once, and of another day anew', async () => {
    await begin({ settings: { pingEveryMs: 600_000 } });
    const devices = [alice, bob, await world.device('carol'), await world.device('dave'), await world.device('eve')];
    const sockets = [];
    for (const [i, device] of devices.entries()) sockets.push(await world.client(device, i % 2));
    for (const socket of sockets) await socket.next('caught-up');
    const [from, other] = sockets as [TestClient, TestClient];
    from.message(messageId(1), [bob], 'one');
    // The same again counts nothing.
    for (let i = 0; i < 2; i++) {
      from.message(messageId(2), [bob], 'two');
      await from.next('accepted');
    }
    other.message(messageId(3), [alice], 'three');
    await other.next('accepted');
    await written();
    expect(await figures()).toMatchObject({ messages: 3, deliveries: 3, errors: 0, activeDevices: 5 });
    await written();
    expect(await figures()).toMatchObject({ messages: 3, deliveries: 3 });
    const day = (await figures())!.day;
    world.time.ms += 86_400_000;
    await written();
    from.message(messageId(4), [bob], 'four');
    await from.next('accepted');
    await written();
    const days = await readDays(world.store, world.time.now(), 2);
    expect(days.map(({ day, messages }) => [day, messages])).toEqual([
      [day, 3],
      [expect.any(String), 1],
    ]);
    // Who has stayed was active on the next day, too.
    expect(days[1]!.activeDevices).toBe(5);
  });
});

describe('a notice of the operator', () => {
  const put = (id: string, until = world.time.now() + 60_000) => {
    const text = JSON.stringify({ id, text: `notice ${id}`, at: 1, until });
    return world.store.operatorRecords.replace('notice', 0, { key: id, version: 1, text });
  };

  it('comes to all who are connected, once, and to who connects later, until it ends', async () => {
    await begin();
    const [first, second] = [await world.client(alice, 0), await world.client(bob, 1)];
    await put('a');
    for (let i = 0; i < 2; i++) await announcer().noticesChanged();
    for (const socket of [first, second])
      expect(await socket.next('server-notice')).toMatchObject({ id: 'a', text: 'notice a', at: 1 });
    await turns(4);
    await first.settled();
    expect(first.frames.filter(({ kind }) => kind === 'server-notice')).toEqual([]);
    const late = await world.client(bob, 0);
    expect(await late.next('server-notice')).toMatchObject({ id: 'a' });
  });

  it('is found within a minute where the bus lost it', async () => {
    await begin({ wrapBus: losesEverything, settings: { pingEveryMs: 600_000 } });
    const socket = await world.client(alice, 0);
    await socket.next('caught-up');
    await put('b');
    world.time.pass(61_000);
    expect(await socket.next('server-notice')).toMatchObject({ id: 'b' });
  });
});
