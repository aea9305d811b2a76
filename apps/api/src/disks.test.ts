/** A server whose disk is nearly full, over HTTP: what is new waits, what was accepted goes on (docs/adr/0066). */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { DiskWatch } from '@sealwire/service/disk-watch';
import { silentLog } from '@sealwire/service/log';
import { createMetrics } from '@sealwire/service/metrics';
import { crypto, type Fixture, startFixture } from './testing/fixture.ts';
import { person } from './testing/person.ts';

const PART_BYTES = 4_096;
let fixture: Fixture;
let freeBytes: number;

beforeEach(async () => {
  freeBytes = 1_000;
  let time = 0;
  const disks = new DiskWatch({
    folders: { store: '/s', blobs: '/b' },
    uploadsStopBelow: 500,
    messagesStopBelow: 100,
    now: () => {
      time += 1_000;
      return time;
    },
    log: silentLog,
    metrics: createMetrics(),
    read: () => ({ freeBytes, totalBytes: 10_000 }),
  });
  fixture = await startFixture({}, { disks });
});
afterEach(() => fixture.close());

it('T212: refuses new accounts with a time to come back, and answers the repeat of one that it has made', async () => {
  const [alice, bob] = [person(crypto, 'alice'), person(crypto, 'bob')];
  expect((await fixture.call('POST', '/v1/accounts', alice.creation())).status).toBe(201);
  freeBytes = 499;
  const refused = await fixture.call('POST', '/v1/accounts', bob.creation());
  expect([refused.status, refused.json.code, refused.json.retryable]).toEqual([503, 'unavailable', true]);
  expect([refused.json.detail, refused.headers.get('retry-after')]).toEqual([
    expect.stringContaining('nearly full'),
    '300',
  ]);
  expect((await fixture.call('POST', '/v1/accounts', alice.creation())).status).toBe(200);
  expect((await fixture.login(alice)).status).toBe(200);
  freeBytes = 1_000;
  expect((await fixture.call('POST', '/v1/accounts', bob.creation())).status).toBe(201);
});

it('T212: refuses new files, and takes the parts and the end of one that was begun', async () => {
  const { auth } = await fixture.member('alice');
  const begin = () => fixture.call('POST', '/v1/attachments', { bytes: PART_BYTES }, auth);
  const { json: begun } = await begin();
  freeBytes = 499;
  const refused = await begin();
  expect([refused.status, refused.json.code, refused.headers.get('retry-after')]).toEqual([507, 'storage-full', '300']);
  const url = new URL(begun.parts[0].url, fixture.listening.url);
  expect((await fetch(url, { method: 'PUT', body: new Uint8Array(PART_BYTES) })).ok).toBe(true);
  const whole = await fixture.call('POST', `/v1/attachments/${begun.id}/complete`, undefined, auth);
  expect([whole.status, whole.json.state]).toEqual([200, 'complete']);
  expect((await fixture.call('DELETE', `/v1/attachments/${begun.id}`, undefined, auth)).status).toBe(204);
});
