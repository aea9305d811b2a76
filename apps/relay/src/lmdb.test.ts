/** The whole way over the durable store: what was accepted is there after the relay and the store were closed and opened again. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { openStore } from '@sealwire/store/open';
import { messageId } from './testing/test-client.ts';
import { openWorld } from './testing/test-relay.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealwire-relay-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('A03: accepted, delivered, partly acknowledged: after a restart the rest is delivered again, in order', async () => {
  const first = await openWorld({ store: await openStore(`lmdb:${folder}`) });
  const [alice, bob] = [await first.device('alice'), await first.device('bob')];
  const [from, to] = [await first.client(alice), await first.client(bob)];
  for (let i = 1; i <= 200; i++) from.message(messageId(i), [bob], String(i), true);
  for (let accepted = 0; accepted < 200; ) accepted += (await from.next('accepted')).ids.length;
  await to.delivered(100);
  to.ack(50);
  expect(await to.delivered(50)).toHaveLength(50);
  await first.close();

  const second = await openWorld({ store: await openStore(`lmdb:${folder}`) });
  const again = await second.client(bob);
  const texts = await again.delivered(100);
  expect([texts[0], texts.at(-1)]).toEqual(['51', '150']);
  again.ack(150);
  expect((await again.delivered(50)).at(-1)).toBe('200');
  expect((await again.next('caught-up')).lastSeq).toBe(200);
  await second.close();
});

it('T88: a stored message that the disk damaged is a gap of its own reason, and the queue goes on', async () => {
  const damaged = mkdtempSync(join(folder, 'damaged-'));
  const first = await openWorld({ store: await openStore(`lmdb:${damaged}`) });
  const [alice, bob] = [await first.device('alice'), await first.device('bob')];
  const from = await first.client(alice);
  const texts = ['one', 'two', 'a text that is to be damaged', 'four'];
  for (const [i, text] of texts.entries()) from.message(messageId(i + 1), [bob], text, true);
  for (let accepted = 0; accepted < 4; ) accepted += (await from.next('accepted')).ids.length;
  await first.close();
  const file = join(damaged, 'data.mdb');
  const data = readFileSync(file);
  for (let at = data.indexOf(texts[2] as string); at !== -1; at = data.indexOf(texts[2] as string, at + 1))
    data[at]! ^= 1;
  writeFileSync(file, data);

  const second = await openWorld({ store: await openStore(`lmdb:${damaged}`) });
  const to = await second.client(bob);
  expect(await to.delivered(2)).toEqual(['one', 'two']);
  expect(await to.next('gap')).toEqual({ kind: 'gap', count: 1, fromSeq: 3, toSeq: 3, reason: 'damaged' });
  expect(await to.delivered(1)).toEqual(['four']);
  expect((await to.next('caught-up')).lastSeq).toBe(4);
  to.ack(4);
  await second.acknowledged(to);
  await second.close();

  const third = await openWorld({ store: await openStore(`lmdb:${damaged}`) });
  const again = await third.client(bob);
  expect((await again.next('caught-up')).lastSeq).toBe(4);
  expect(again.frames).toEqual([]);
  expect(await third.store.mailboxes.usage(bob)).toEqual({ messages: 0, bytes: 0 });
  await third.close();
});
