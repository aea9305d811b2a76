import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { ALICE, BOB, deviceId, mail, people, ROOMY, readAll } from '../contract/fixture.ts';
import { openLmdbStore } from '../lmdb.ts';
import { openEnvironment } from './environment.ts';

it('gets no longer than its bound, though each commit brings a hundred records', async () => {
  const path = mkdtempSync(join(tmpdir(), 'sealwire-'));
  const store = await openLmdbStore({ path, journalBytes: 10_000 });
  const [device] = (await people(store, ALICE, 1)) as [ReturnType<typeof deviceId>];
  for (let round = 0; round < 10; round++)
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        store.mailboxes.append([mail(round * 100 + i, deviceId(BOB, 1), [device])], ROOMY),
      ),
    );
  expect((await readAll(store, device)).mails).toHaveLength(1_000);
  await store.close();
  const { databases, close } = openEnvironment(path);
  let bytes = 0;
  for (const { value } of databases.journal.getRange()) bytes += value.length;
  await close();
  // The bound, and what the last commit brought.
  expect(bytes).toBeLessThan(40_000);
  rmSync(path, { recursive: true });
});
