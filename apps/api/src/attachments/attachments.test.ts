/**
 * Attachments over HTTP, as a client with plain `fetch` meets them: the same calls for the embedded place and for
 * S3 servers of two makers (`S3_URL`, `SWIFT_S3_URL`).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openFileBlobs } from '@sealwire/blobs/files';
import { openBlobs } from '@sealwire/blobs/open';
import { BlobError, type Blobs } from '@sealwire/blobs/port';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { silentLog } from '@sealwire/service/log';
import { openMemoryStore } from '@sealwire/store/memory';
import { StoreError } from '@sealwire/store/port';
import { type Answer, type Fixture, startFixture } from '../testing/fixture.ts';
import type { Person } from '../testing/person.ts';
import { AttachmentSweeper } from './sweeper.ts';

const SMALL = 4_096;
/** A whole part and a bit. */
const LARGE = (8 << 20) + 70_000;
const DAY_MS = 86_400_000;
const SERVERS = [
  ['S3_URL', 'S3', 'sealwire'],
  ['SWIFT_S3_URL', 'S3 of Swift', 'sealwire:tests'],
] as const;

interface Part {
  readonly number: number;
  readonly offset: number;
  readonly bytes: number;
  readonly url: string;
}

function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + seed * 101) & 0xff;
  return bytes;
}

let fixture: Fixture;
let alice: Person;
let auth: Record<string, string>;
afterEach(() => fixture.close());

async function start(...options: Parameters<typeof startFixture>): Promise<void> {
  fixture = await startFixture(...options);
}

async function join(): Promise<void> {
  ({ auth, person: alice } = await fixture.member('alice'));
}

/** After a quarter of an hour. */
async function loginAgain(): Promise<void> {
  auth = { authorization: `Bearer ${(await fixture.login(alice)).json.token}` };
}

const usage = () => fixture.store.attachments.usage(alice.address);

const sweep = () => new AttachmentSweeper({ ...fixture, now: () => fixture.clock.now, log: silentLog }).sweep();

const at = (url: string) => new URL(url, `${fixture.listening.url}/v1/attachments`);
const begin = (bytes: number, by = auth) => fixture.call('POST', '/v1/attachments', { bytes }, by);
const show = (id: string, by = auth) => fixture.call('GET', `/v1/attachments/${id}`, undefined, by);
const complete = (id: string, by = auth) => fixture.call('POST', `/v1/attachments/${id}/complete`, undefined, by);
const remove = (id: string, by = auth) => fixture.call('DELETE', `/v1/attachments/${id}`, undefined, by);

async function put(part: Pick<Part, 'url'>, bytes: Uint8Array, method = 'PUT'): Promise<number> {
  const answer = await fetch(at(part.url), { method, body: new Uint8Array(bytes) });
  await answer.arrayBuffer();
  return answer.status;
}

async function sendAll(parts: readonly Part[], content: Buffer): Promise<void> {
  for (const part of parts)
    expect(await put(part, content.subarray(part.offset, part.offset + part.bytes))).toBeLessThan(300);
}

async function get(url: string, headers: Record<string, string> = {}, method = 'GET') {
  const answer = await fetch(at(url), { method, headers });
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
}

/** Sent and complete; what the last call answered. */
async function uploaded(content: Buffer): Promise<Answer> {
  const { json } = await begin(content.length);
  await sendAll(json.parts, content);
  return complete(json.id);
}

const PLACES: [string, () => Promise<Blobs | undefined>][] = [['embedded', async () => undefined]];
for (const [variable, name, accessKey] of SERVERS) {
  const server = process.env[variable];
  if (server === undefined) it.skip(`needs ${variable}: an S3 server for tests`, () => {});
  else
    PLACES.push([name, () => openBlobs(`s3+${server}/sealwire-test-api`, { accessKey, secretKey: 'sealwire-secret' })]);
}

describe.each(PLACES)('attachments, %s', (_name, open) => {
  let blobs: Blobs | undefined;
  beforeEach(async () => {
    blobs = await open();
    // A server of several tests, and of several runs: no file has the id of another one.
    await start({}, blobs ? { blobs, random: seededRandom(`attachments ${Date.now()}`) } : {});
    // An S3 server reads a real clock.
    if (blobs) fixture.clock.now = Date.now();
    await join();
  });
  afterEach(() => blobs?.close());

  it('go up by parts, and down by ranges to whoever has the URL', async () => {
    const content = pattern(LARGE);
    const begun = await begin(LARGE);
    expect([begun.status, begun.json.state, begun.json.url]).toEqual([201, 'uploading', undefined]);
    expect(begun.json.parts.map(({ number, offset, bytes }: Part) => [number, offset, bytes])).toEqual([
      [1, 0, 8 << 20],
      [2, 8 << 20, 70_000],
    ]);
    await sendAll(begun.json.parts.reverse(), content);
    const { status, json } = await complete(begun.json.id);
    expect([status, json.state, json.parts]).toEqual([200, 'complete', []]);
    expect((await get(json.url)).bytes.equals(content)).toBe(true);
    const middle = await get(json.url, { range: `bytes=${(8 << 20) - 5}-${(8 << 20) + 4}` });
    expect([middle.status, middle.headers.get('content-range')]).toEqual([
      206,
      `bytes ${(8 << 20) - 5}-${(8 << 20) + 4}/${LARGE}`,
    ]);
    expect(middle.bytes.equals(content.subarray((8 << 20) - 5, (8 << 20) + 5))).toBe(true);
    expect((await get(json.url, { range: 'bytes=-3' })).bytes.equals(content.subarray(-3))).toBe(true);
    expect((await get(json.url, { range: `bytes=${LARGE}-` })).status).toBe(416);
    expect((await get(json.url, {}, 'HEAD')).headers.get('content-length')).toBe(String(LARGE));
  });

  it('go on after a lost link: the server tells which parts are missing', async () => {
    const content = pattern(LARGE, 2);
    const { json } = await begin(LARGE);
    await sendAll([json.parts[1]], content);
    const early = await complete(json.id);
    expect([early.status, early.json.code]).toEqual([409, 'upload-incomplete']);
    const { json: shown } = await show(json.id);
    expect([shown.state, shown.parts.map(({ number }: Part) => number)]).toEqual(['uploading', [1]]);
    await sendAll(shown.parts, content);
    expect((await complete(json.id)).status).toBe(200);
    const again = await complete(json.id);
    expect([again.status, again.json]).toEqual([200, (await show(json.id)).json]);
    expect((await get(again.json.url)).bytes.equals(content)).toBe(true);
  });

  it('G08: begun again under one Idempotency-Key, after a lost answer, is the same upload, and counts once', async () => {
    const keyed = (key: string, bytes = SMALL, by = auth) => begin(bytes, { ...by, 'idempotency-key': key });
    const first = await keyed('0123456789abcdef');
    const again = await keyed('0123456789abcdef');
    expect([first.status, again.status, again.json.id]).toEqual([201, 200, first.json.id]);
    const [one, two] = await Promise.all([keyed('at-the-same-time'), keyed('at-the-same-time')]);
    expect([one!.json.id, await usage()]).toEqual([two!.json.id, { attachments: 2, bytes: 2 * SMALL }]);
    for (const { json } of [again, one!]) {
      await sendAll(json.parts, pattern(SMALL));
      expect((await complete(json.id)).status).toBe(200);
    }
    const late = await keyed('0123456789abcdef');
    expect([late.status, late.json]).toEqual([200, (await show(first.json.id)).json]);
    const other = await keyed('0123456789abcdef', SMALL + 1);
    expect([other.status, other.json.code]).toEqual([409, 'conflict']);
    const { auth: bob } = await fixture.member('bob');
    const bobs = await keyed('0123456789abcdef', SMALL, bob);
    expect([bobs.status, bobs.json.id === first.json.id]).toEqual([201, false]);
    for (const key of ['too-short', 'with a space in it', 'x'.repeat(65)])
      expect((await keyed(key)).json.code).toBe('bad-request');
    await remove(first.json.id);
    expect((await keyed('0123456789abcdef')).json).toMatchObject({ id: first.json.id, state: 'uploading' });
  });

  it('G03: larger or smaller than declared is refused, and what was declared is given back', async () => {
    const { json } = await begin(SMALL);
    for (const length of [SMALL - 1, SMALL + 1, 0]) expect(await put(json.parts[0], pattern(length))).toBe(403);
    expect((await complete(json.id)).json.code).toBe('upload-incomplete');
    expect((await remove(json.id)).status).toBe(204);
    expect(await usage()).toEqual({ attachments: 0, bytes: 0 });
  });

  it('G04: a signed URL is good for its method, object, part and length only', async () => {
    const [{ json: mine }, { json: other }] = [await begin(SMALL), await begin(SMALL)];
    const [{ url }] = mine.parts;
    const content = pattern(SMALL);
    for (const altered of [
      url.replace(mine.id, other.id),
      url.replace(mine.id, `${mine.id.slice(0, -1)}_`),
      url.replace(/([?&](?:X-Amz-S|s)ignature=)...../, '$1AAAAA'),
      url.replace(/(\/|partNumber=)1([?&])/, '$12$2'),
    ]) {
      expect(altered).not.toBe(url);
      expect(await put({ url: altered }, content)).toBe(403);
    }
    expect([403, 405]).toContain(await put({ url }, content, 'POST'));
    expect([403, 405]).toContain((await get(url)).status);
    expect((await show(other.id)).json.parts).toHaveLength(1);
    expect((await show(mine.id)).json.parts).toHaveLength(1);
    expect(await put({ url }, content)).toBeLessThan(300);
  });

  it('G01: no URL, an altered one, of a file that is gone or never was: the same 404', async () => {
    const { json } = await uploaded(pattern(SMALL));
    const deleted = (await uploaded(pattern(SMALL, 2))).json;
    expect((await remove(deleted.id)).status).toBe(204);
    expect((await remove(deleted.id)).status).toBe(404);
    const bodies = [];
    for (const url of [
      `/v1/files/${json.id}`,
      json.url.replace(/signature=.../, 'signature=AAA'),
      json.url.replace(/until=\d/, 'until=9'),
      json.url.replace(json.id, deleted.id),
      deleted.url,
      '/v1/files/never-was?until=1&signature=x',
      '/v1/files/',
    ]) {
      const { status, bytes } = await get(url);
      bodies.push(bytes.toString());
      expect([url, status]).toEqual([url, 404]);
    }
    expect(new Set(bodies).size).toBe(1);
    expect((await get(json.url)).status).toBe(200);
  });

  it('G09: a file is given as bytes to keep, whatever it looks like', async () => {
    const { json } = await uploaded(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg">'.padEnd(SMALL)));
    const { headers } = await get(json.url);
    expect(headers.get('content-type')).toBe('application/octet-stream');
    expect(headers.get('content-disposition')).toBe('attachment');
    if (blobs) return;
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain('sandbox');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('I03: of another account are as unknown as ones that never were', async () => {
    const { json } = await begin(SMALL);
    const { auth: bob } = await fixture.member('bob');
    const answers = [];
    for (const id of [json.id, 'never-was'])
      for (const call of [show, complete, remove]) answers.push(await call(id, bob));
    for (const { status, text } of answers) expect([status, text]).toEqual([404, answers[0]!.text]);
    expect((await show(json.id)).status).toBe(200);
  });

  it('G08: what has ended is swept, files and unfinished uploads, and what lives is not', async () => {
    const { json: file } = await uploaded(pattern(SMALL));
    const { json: upload } = await begin(SMALL);
    await sendAll(upload.parts, pattern(SMALL, 2));
    fixture.clock.now += DAY_MS - 1;
    await sweep();
    await loginAgain();
    expect((await show(upload.id)).status).toBe(200);
    fixture.clock.now += 1;
    expect((await complete(upload.id)).status).toBe(404);
    fixture.clock.now += 20 * 60_000;
    await loginAgain();
    await sweep();
    expect(await usage()).toEqual({ attachments: 1, bytes: SMALL });
    if (!blobs) expect((await get(file.url)).status).toBe(200);
    fixture.clock.now += 30 * DAY_MS;
    expect((await get(file.url)).status).toBe(404);
    await sweep();
    expect(await usage()).toEqual({ attachments: 0, bytes: 0 });
    expect(await fixture.blobs.size(file.id)).toBeUndefined();
  });
});

/** `blobs`, of which no call gets through while `isDown` says so. */
function unreachableWhile(blobs: Blobs, isDown: () => boolean): Blobs {
  const entries = Object.entries(blobs).map(([name, call]) => [
    name,
    typeof call !== 'function'
      ? call
      : async (...args: unknown[]) => {
          if (isDown()) throw new BlobError('unavailable', 'the place of the files does not answer');
          return call(...args);
        },
  ]);
  return Object.fromEntries(entries) as Blobs;
}

describe('attachments', () => {
  async function startWith(...options: Parameters<typeof startFixture>): Promise<void> {
    await start(...options);
    await join();
  }

  it('G04: a signed path ends with its upload', async () => {
    await startWith();
    const { json } = await begin(SMALL);
    fixture.clock.now = json.expiresAt - 1;
    expect(await put(json.parts[0], pattern(SMALL))).toBe(204);
    fixture.clock.now = json.expiresAt;
    expect(await put(json.parts[0], pattern(SMALL))).toBe(403);
  });

  it('have a largest size, and a room for each account that deleting gives back', async () => {
    await startWith({ ATTACHMENT_BYTES: 2 * SMALL, ATTACHMENT_BYTES_PER_ACCOUNT: 5 * SMALL });
    const large = await begin(2 * SMALL + 1);
    expect([large.status, large.json.code]).toEqual([413, 'payload-too-large']);
    for (const bytes of [0, -1, 1.5, '9']) expect((await begin(bytes as number)).status).toBe(400);
    const begun = await Promise.all([1, 2, 3, 4].map(() => begin(2 * SMALL)));
    expect(begun.map(({ status }) => status).sort()).toEqual([201, 201, 422, 422]);
    expect(begun.find(({ status }) => status === 422)?.json.code).toBe('limit-reached');
    const { auth: bob } = await fixture.member('bob');
    expect((await begin(2 * SMALL, bob)).status).toBe(201);
    await remove(begun.find(({ status }) => status === 201)!.json.id);
    expect((await begin(2 * SMALL)).status).toBe(201);
  });

  it('are as many an hour as the operator says', async () => {
    await startWith({ NEW_ATTACHMENTS_PER_ACCOUNT: 2 });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await begin(SMALL)).status);
    expect(statuses).toEqual([201, 201, 429]);
  });

  it('of which no room is left: 507, at the begin and in the middle, and nothing counts that was not begun', async () => {
    let free = Number.MAX_SAFE_INTEGER;
    const folder = await mkdtemp(`${tmpdir()}/sealwire-blobs-`);
    await startWith({}, { blobs: await openFileBlobs({ folder, freeBytes: async () => free }) });
    const { json } = await begin(SMALL);
    free = 0;
    const refused = await begin(SMALL);
    expect([refused.status, refused.json.code, refused.json.retryable]).toEqual([507, 'storage-full', true]);
    expect(await put(json.parts[0], pattern(SMALL))).toBe(507);
    expect(await usage()).toEqual({ attachments: 1, bytes: SMALL });
    free = Number.MAX_SAFE_INTEGER;
    expect(await put(json.parts[0], pattern(SMALL))).toBe(204);
    expect((await complete(json.id)).status).toBe(200);
    await rm(folder, { recursive: true });
  });

  it('G07: a place of files that does not answer: 503, with a time to come again, and the upload goes on later', async () => {
    let down = false;
    const folder = await mkdtemp(`${tmpdir()}/sealwire-blobs-`);
    await startWith({}, { blobs: unreachableWhile(await openFileBlobs({ folder }), () => down) });
    const { json } = await begin(SMALL);
    await sendAll(json.parts, pattern(SMALL));
    down = true;
    for (const call of [() => begin(SMALL), () => show(json.id), () => complete(json.id), () => remove(json.id)]) {
      const answer = await call();
      expect([answer.status, answer.json.code, answer.headers.get('retry-after')]).toEqual([503, 'unavailable', '2']);
    }
    expect(await usage()).toEqual({ attachments: 1, bytes: SMALL });
    down = false;
    expect((await complete(json.id)).status).toBe(200);
    await rm(folder, { recursive: true });
  });

  it('G07: whose record was made although its answer was lost goes on under its Idempotency-Key', async () => {
    const store = openMemoryStore();
    const attachments = {
      ...store.attachments,
      async add(...args: Parameters<typeof store.attachments.add>) {
        await store.attachments.add(...args);
        throw new StoreError('unavailable', 'the answer is lost');
      },
    };
    await startWith({}, { store: { ...store, attachments } });
    const keyed = { ...auth, 'idempotency-key': '0123456789abcdef' };
    expect((await begin(SMALL, keyed)).status).toBe(503);
    const { status, json } = await begin(SMALL, keyed);
    expect(status).toBe(200);
    await sendAll(json.parts, pattern(SMALL));
    expect((await complete(json.id)).status).toBe(200);
    expect(await usage()).toEqual({ attachments: 1, bytes: SMALL });
  });

  it('that is deleted while it is completed leaves no file', async () => {
    const store = openMemoryStore();
    let file = '';
    const attachments = {
      ...store.attachments,
      async complete(...args: Parameters<typeof store.attachments.complete>) {
        await store.attachments.remove(args[0], args[1]);
        file = args[1];
        return store.attachments.complete(...args);
      },
    };
    await startWith({}, { store: { ...store, attachments } });
    const { json } = await begin(SMALL);
    await sendAll(json.parts, pattern(SMALL));
    expect((await complete(json.id)).status).toBe(404);
    expect(file).toBe(json.id);
    expect(await fixture.blobs.size(file)).toBeUndefined();
  });

  it('go with their account: nobody reads them once they are swept', async () => {
    await startWith();
    const { json } = await uploaded(pattern(SMALL));
    expect((await fixture.call('DELETE', '/v1/account', undefined, auth)).status).toBe(204);
    await sweep();
    expect((await get(json.url)).status).toBe(404);
  });

  it('no signature, size or id of a file is in the log', async () => {
    await startWith();
    const { json } = await uploaded(pattern(SMALL));
    await get(json.url);
    await get(json.url.replace('signature=', 'signature=A'));
    const log = fixture.log.join('');
    for (const secret of ['signature', json.id, String(SMALL)]) expect(log).not.toContain(secret);
  });

  it('on a server without a place for them: 404', async () => {
    await startWith({}, { blobs: undefined });
    const answer = await begin(SMALL);
    expect([answer.status, answer.json.detail]).toEqual([404, 'this server takes no attachments']);
    expect((await get('/v1/files/x?until=1&signature=x')).status).toBe(404);
    expect(await put({ url: '/v1/files/x/1?until=1&signature=x' }, pattern(9))).toBe(403);
  });
});
