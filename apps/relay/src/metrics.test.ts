/** What a relay counts of its own work, as an operator sees it. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { messageId } from './testing/test-client.ts';
import { openWorld, type World } from './testing/test-relay.ts';

let world: World;
let alice: DeviceId;
let bob: DeviceId;

beforeEach(async () => {
  world = await openWorld();
  [alice, bob] = [await world.device('alice'), await world.device('bob')];
});
afterEach(() => world.close());

/** Of lines that have counted something, once what is counted once a second has been handed over. */
async function counted(prefix: string): Promise<string[]> {
  world.time.pass(1_000);
  const lines = (await world.node.metrics.text()).split('\n');
  return lines.filter((line) => line.startsWith(prefix) && !line.startsWith('#') && !line.endsWith(' 0'));
}

it('messages are counted by what became of them, their copies, and their deliveries', async () => {
  const [from, to] = [await world.client(alice), await world.client(bob)];
  await to.next('caught-up');
  from.message(messageId(1), [bob], 'one');
  await from.next('accepted');
  await to.next('deliver');
  from.message(messageId(1), [bob], 'one');
  await from.next('accepted');
  from.message(messageId(1), [bob], 'another text');
  await from.next('rejected');
  expect(await counted('sealwire_relay_messages_total')).toEqual([
    'sealwire_relay_messages_total{result="accepted"} 1',
    'sealwire_relay_messages_total{result="repeated"} 1',
    'sealwire_relay_messages_total{result="conflict"} 1',
  ]);
  expect(await counted('sealwire_relay_copies_total')).toEqual(['sealwire_relay_copies_total 1']);
  expect(await counted('sealwire_relay_deliveries_total')).toEqual(['sealwire_relay_deliveries_total 1']);
  expect(await counted('sealwire_relay_sessions_opened_total')).toEqual(['sealwire_relay_sessions_opened_total 2']);
});

it('a device that connects is counted with what had waited for it', async () => {
  const from = await world.client(alice);
  for (const id of [1, 2, 3]) {
    from.message(messageId(id), [bob], String(id));
    await from.next('accepted');
  }
  await (await world.client(bob)).next('caught-up');
  expect(await counted('sealwire_mailbox_depth_messages_sum')).toEqual(['sealwire_mailbox_depth_messages_sum 3']);
  expect(await counted('sealwire_mailbox_depth_messages_count')).toEqual(['sealwire_mailbox_depth_messages_count 2']);
});

it('what goes over the bus is timed there and back, and heard by kind', async () => {
  await world.node.door.ready();
  expect((await counted('sealwire_bus_round_trip_seconds_count')).length).toBe(1);
  expect((await counted('sealwire_bus_messages_heard_total{kind="who-is-there"}')).length).toBe(1);
});

it('the clock of another node is compared with our own', async () => {
  await world.startNode({ now: () => world.time.now() - 20_000 });
  await new Promise(setImmediate);
  expect(await counted('sealwire_relay_node_clock_offset_seconds')).toEqual([
    'sealwire_relay_node_clock_offset_seconds 20',
  ]);
});
