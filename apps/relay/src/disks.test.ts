/** A relay whose disk is nearly full: new messages wait at their senders, those that were accepted are delivered (docs/adr/0066). */
import { afterEach, expect, it } from '@jest/globals';
import { messageId } from './testing/test-client.ts';
import { openWorld, type World } from './testing/test-relay.ts';

let world: World;
afterEach(() => world.close());

it('T212: refuses new messages with a time to come back, delivers what it has, and takes acknowledgements', async () => {
  let isFull = false;
  world = await openWorld({ disks: { refusesMessage: () => isFull } });
  const [alice, bob] = [await world.device('alice'), await world.device('bob')];
  const from = await world.client(alice);
  from.message(messageId(1), [bob], 'before');
  await from.next('accepted');
  isFull = true;
  from.message(messageId(2), [bob], 'meanwhile');
  expect(await from.next('rejected')).toMatchObject({
    code: 'unavailable',
    retryable: true,
    id: messageId(2),
    retryAfterMs: 30_000,
  });
  const to = await world.client(bob);
  expect(await to.next('deliver')).toMatchObject({ id: messageId(1) });
  to.ack(1);
  while ((await world.store.mailboxes.usage(bob)).messages > 0) {
    world.time.pass(100);
    await to.settled();
  }
  isFull = false;
  from.message(messageId(2), [bob], 'meanwhile');
  await from.next('accepted');
  expect(await to.next('deliver')).toMatchObject({ id: messageId(2) });
});
