/** Presence over real sockets: what `presence/presence.test.ts` has without them. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Bus } from '@sealwire/bus/port';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { TestClient } from './testing/test-client.ts';
import { openWorld, turns, type World } from './testing/test-relay.ts';

let world: World;
let alice: DeviceId;
let bob: DeviceId;
afterEach(() => world.close());

async function begin(nodes: number, wrapBus?: (bus: Bus) => Bus): Promise<void> {
  world = await openWorld({ nodes, ...(wrapBus && { wrapBus }) });
  [alice, bob] = [await world.device('alice'), await world.device('bob')];
}

async function show(client: TestClient, ...to: DeviceId[]): Promise<void> {
  client.send({ kind: 'show', accounts: to.map(accountOf), away: false });
  await client.settled();
}

/** So much time passes, and what nodes say in it is heard. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    world.time.pass(Math.min(left, 1_000));
    await turns(4);
  }
}

const presenceOf = (client: TestClient) =>
  client.frames.flatMap((frame) => (frame.kind === 'presence' ? frame.peers.map(({ state }) => state) : []));

describe('sockets', () => {
  it('on two nodes hear of each other, and of the end of one', async () => {
    await begin(2);
    const [one, other] = [await world.client(alice, 0), await world.client(bob, 1)];
    await show(one, bob);
    await show(other, alice);
    await pass(2_000);
    expect(await other.next('presence')).toEqual({
      kind: 'presence',
      peers: [{ account: accountOf(alice), state: 'online' }],
    });
    expect(await one.next('presence')).toMatchObject({ peers: [{ state: 'online' }] });
    one.send({ kind: 'appear', away: true });
    await one.settled();
    await pass(2_000);
    expect(await other.next('presence')).toMatchObject({ peers: [{ state: 'away' }] });
    await one.end();
    await pass(12_000);
    expect(await other.next('presence')).toMatchObject({ peers: [{ state: 'offline' }] });
  });

  it('T179: of a node that is cut off from the bus for good are offline elsewhere within 50 seconds', async () => {
    let isDead = false;
    let buses = 0;
    await begin(2, (bus) => {
      const isFirst = buses++ === 0;
      return { ...bus, publish: async (...said) => (isFirst && isDead ? undefined : bus.publish(...said)) };
    });
    const [one, other] = [await world.client(alice, 0), await world.client(bob, 1)];
    await show(one, bob);
    await show(other, alice);
    await pass(2_000);
    await other.next('presence');
    isDead = true;
    await pass(50_000);
    expect(await other.next('presence')).toMatchObject({ peers: [{ state: 'offline' }] });
  });

  it('that only receive show nothing, and an away before a list is nothing', async () => {
    await begin(1);
    const replica = await TestClient.logIn(world.node.url, await world.token(alice), 'replica');
    const other = await world.client(bob);
    await show(replica, bob);
    await show(other, alice);
    await pass(3_000);
    expect(presenceOf(other)).toEqual([]);
    const contact = await TestClient.logIn(world.node.url, await world.token(alice), 'contact');
    contact.send({ kind: 'appear', away: true });
    await contact.settled();
    await pass(3_000);
    expect(presenceOf(other)).toEqual([]);
    await show(contact, bob);
    await pass(3_000);
    expect([presenceOf(contact), presenceOf(other), presenceOf(replica)]).toEqual([['online'], ['online'], []]);
    await contact.end();
    await replica.end();
  });

  it('A17: of a device that connects again are told nothing of it', async () => {
    await begin(2);
    const other = await world.client(bob, 1);
    await show(other, alice);
    await show(await world.client(alice, 0), bob);
    await pass(2_000);
    for (const node of [1, 0, 1]) {
      const again = await world.client(alice, node);
      await pass(5_000);
      await show(again, bob);
      await pass(15_000);
    }
    expect(presenceOf(other)).toEqual(['online']);
  });

  it('T178: lists count among the frames that bring no message', async () => {
    await begin(1);
    const client = await world.client(alice);
    for (let n = 0; n <= LIMITS.spareFramesBurst.value; n++) client.send({ kind: 'appear', away: true });
    expect(await client.closed).toMatchObject({ code: 4005 });
  });
});
