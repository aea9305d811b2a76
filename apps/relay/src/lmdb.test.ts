/** The whole way over the durable store: what was accepted is there after the relay and the store were closed and opened again. */

import { mkdtempSync, rmSync } from 'node:fs';
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
