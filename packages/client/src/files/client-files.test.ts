/** Files to and from a server (docs/spec/files.md section 7), over a network that fails on demand. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import type { FileDescriptor } from '@sealwire/wire/file-descriptor';
import { parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import type { AccessTokens } from '../connection/access-tokens.ts';
import { HttpCalls } from '../connection/http-calls.ts';
import { Engines } from '../engines/engines.ts';
import { limeEngine } from '../engines/lime/lime-engine.ts';
import type { ClientRuntime } from '../runtime.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { brokenAfter, FileServer, HASTE, problem } from '../testing/file-server.ts';
import { ClientFiles, type ClientFilesParts } from './client-files.ts';
import { fileContent, fileIn } from './file-content.ts';
import { bytesSource } from './file-source.ts';

const ORIGIN = 'https://chat.example.org';
const PHOTO = { name: 'photo.jpg', type: 'image/jpeg' };
const random = seededRandom(1);
const plaintext = seededRandom(2)(350_000);

let server: FileServer;
let files: ClientFiles;
let now: number;
let lifetime: AbortController;

async function clientOf(origin: string): Promise<ClientFiles> {
  const crypto = nodeCrypto();
  const connectSocket = () => ({ send() {}, close() {}, drop() {} });
  const runtime: ClientRuntime = { crypto, random, now: () => now, fetch: server.fetch, connectSocket, timers: HASTE };
  const device = parseDeviceId('sip:alice@example.org;gr=urn:uuid:1');
  const services = {
    self: { server: origin, paths: { api: '/v1', lime: '', directory: '', relay: '' } },
    ledger: await Ledger.open(new MemoryStorage()),
    http: new HttpCalls(origin, runtime, lifetime.signal),
    tokens: { authorized: (call) => call('token') } as AccessTokens,
    engines: new Engines({ device, server: origin, crypto, random, now: () => now }, [limeEngine]),
    lifetime: lifetime.signal,
  };
  const addressOf = (name: string) => parseAccountAddress(`sip:${name}@example.org`);
  return new ClientFiles({ services: services as ClientFilesParts['services'], runtime, timers: HASTE, addressOf });
}

beforeEach(async () => {
  server = new FileServer(ORIGIN);
  now = 1_900_000_000_000;
  lifetime = new AbortController();
  files = await clientOf(ORIGIN);
});

const upload = (options = {}) => files.upload(bytesSource(plaintext), { ...PHOTO, ...options });

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece.slice());
  return Buffer.concat(all);
}

async function expectWhole(descriptor: FileDescriptor): Promise<void> {
  expect(Buffer.compare(await collect(files.download(descriptor)), plaintext)).toBe(0);
}

const failures = (lines: string) => server.lines.filter((line) => line === lines).length;

describe('an upload', () => {
  it('makes a descriptor that travels in a message, and by which the file comes back', async () => {
    const thumbnail = { type: 'image/png', body: Uint8Array.of(1) };
    const told: number[] = [];
    const sent = await upload({
      name: 'C:\\photos\\photo.jpg',
      thumbnail,
      onProgress: (done: number) => told.push(done),
    });
    const descriptor = fileIn(fileContent(sent))!;
    expect(descriptor).toMatchObject({ ...PHOTO, thumbnail, size: plaintext.length, expiresAt: server.expiresAt });
    expect(descriptor.url).toBe(`${ORIGIN}/v1/files/1?until=${server.expiresAt}`);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.at(-1)).toBe(sent.sealedSize);
    const came: number[] = [];
    expect(await collect(files.download(descriptor, { onProgress: (done) => came.push(done) }))).toEqual(
      Buffer.from(plaintext),
    );
    expect(came.at(-1)).toBe(sent.sealedSize);
  });

  it('T131: shows its token to nobody but the API, and cookies and where it comes from to nobody', async () => {
    await expectWhole(await upload());
    const transfers = server.asked.filter(({ url }) => url.pathname.startsWith('/v1/files'));
    expect(transfers.length).toBeGreaterThan(3);
    for (const { headers, request } of transfers) {
      expect(headers.get('authorization')).toBeNull();
      expect([request.credentials, request.referrerPolicy]).toEqual(['omit', 'no-referrer']);
    }
  });

  it('G07: goes on after a link that is lost at any step', async () => {
    // Every request fails three times: before it is there, with its answer on the way back, and by a server that starts.
    const tries = new Map<string, number>();
    server.fault = async ({ method, url }, handle) => {
      const key = `${method} ${url.pathname}`;
      const tried = (tries.get(key) ?? 0) + 1;
      tries.set(key, tried);
      const isBegun = method !== 'POST' || url.pathname.endsWith('complete');
      if (tried === 1 && isBegun) throw new TypeError('fetch failed');
      if (tried <= 2) {
        await handle();
        throw new TypeError('terminated');
      }
      return tried === 3 && isBegun ? problem(502, 'unavailable') : handle();
    };
    const descriptor = await upload();
    expect(server.files.size).toBe(1);
    server.fault = () => undefined;
    await expectWhole(descriptor);
  });

  it('does not send a part again of which only the answer was lost', async () => {
    server.fault = async ({ method, url }, handle) => {
      if (method !== 'PUT' || !url.pathname.endsWith('/2')) return handle();
      await handle();
      throw new TypeError('terminated');
    };
    await upload();
    expect(failures('PUT /v1/files/1/2')).toBe(1);
  });

  it('asks for another URL when the one that it has is over', async () => {
    let refused = 0;
    server.fault = ({ method, url }) => {
      if (method !== 'PUT' || !url.pathname.endsWith('/2') || refused++ > 0) return undefined;
      return new Response('<Error><Code>AccessDenied</Code></Error>', { status: 403 });
    };
    await upload();
    expect(server.lines).toContain('GET /v1/attachments/1');
  });

  it('G07: ends when the server stays away, at once when it never was there', async () => {
    server.fault = ({ method }) => {
      if (method === 'PUT') throw new TypeError('fetch failed');
      return undefined;
    };
    await expect(upload()).rejects.toMatchObject({ code: 'unreachable', retryable: true });
    const puts = server.asked.filter(({ method }) => method === 'PUT').length;
    expect(puts).toBeGreaterThan(40);
    expect(puts).toBeLessThan(130);
    server.asked.length = 0;
    server.fault = () => {
      throw new TypeError('fetch failed');
    };
    await expect(upload()).rejects.toMatchObject({ code: 'unreachable' });
    expect(server.asked).toHaveLength(3);
  });

  it('begins anew under another key when the server has lost it, and not for ever', async () => {
    let losses = 0;
    let keepsLosing = false;
    server.fault = ({ method }) => {
      if (method !== 'PUT' || (losses++ > 0 && !keepsLosing)) return undefined;
      server.files.clear();
      throw new TypeError('terminated');
    };
    const descriptor = await upload();
    expect(failures('POST /v1/attachments')).toBe(2);
    await expectWhole(descriptor);
    keepsLosing = true;
    await expect(upload()).rejects.toMatchObject({ code: 'not-found' });
    expect(failures('POST /v1/attachments')).toBe(5);
  });

  it.each([
    ['a full account', 'POST', problem(422, 'limit-reached'), 'limit-reached'],
    ['too large a file', 'POST', problem(413, 'payload-too-large'), 'payload-too-large'],
    ['a full disk', 'POST', problem(507, 'storage-full'), 'storage-full'],
    ['a full disk in the middle', 'PUT', problem(507, 'storage-full'), 'storage-full'],
    ['a full bucket in the middle', 'PUT', new Response('<Error/>', { status: 507 }), 'storage-full'],
    ['a place that takes nothing', 'PUT', new Response('<Error/>', { status: 400 }), 'bad-answer'],
  ])('%s is one typed error, and what was sent is removed', async (_name, method, answer, code) => {
    let told = 0;
    server.fault = ({ method: asked }) => {
      if (asked !== method) return undefined;
      told++;
      return answer.clone();
    };
    await expect(upload()).rejects.toMatchObject({ code, message: expect.not.stringContaining('\n') });
    expect(told).toBeLessThanOrEqual(3);
    expect(server.files.size).toBe(0);
  });

  it('that is given up removes what was sent', async () => {
    const ending = new AbortController();
    server.fault = ({ method, url }) => {
      if (method === 'PUT' && url.pathname.endsWith('/3')) ending.abort();
      return undefined;
    };
    await expect(upload({ signal: ending.signal })).rejects.toMatchObject({ code: 'aborted' });
    expect(server.lines).toContain('DELETE /v1/attachments/1');
    expect(server.files.size).toBe(0);
    await expect(upload({ signal: ending.signal })).rejects.toMatchObject({ code: 'aborted' });
  });

  it('of a file that changes its length is told, and removed', async () => {
    const source = { size: plaintext.length + 1, read: () => bytesSource(plaintext).read() };
    await expect(files.upload(source, PHOTO)).rejects.toMatchObject({ code: 'file-changed' });
    expect(server.files.size).toBe(0);
  });

  it('of what no descriptor could name sends nothing', async () => {
    const page = { type: 'image/svg+xml', body: Uint8Array.of(1) };
    for (const wrong of [{ type: 'picture' }, { thumbnail: page }])
      await expect(upload(wrong)).rejects.toMatchObject({ code: 'bad-file' });
    expect(server.asked).toEqual([]);
  });

  it('T132: sends nothing to a server that asks for other parts, or in the clear', async () => {
    type Answer = { parts: { url: string }[] };
    const parts = (change: object) => (answer: Answer) => ({ ...answer, ...change });
    const first = { number: 1, offset: 0, url: '/v1/files/1/1' };
    const lies = [
      parts({ bytes: 1 }),
      parts({ parts: [] }),
      parts({ parts: [{ ...first, bytes: 2 ** 40 }] }),
      parts({ parts: [{ ...first, offset: 1, bytes: 100_000 }] }),
      parts({ parts: [{ ...first, number: 2, bytes: 100_000 }] }),
      (answer: Answer) => ({
        ...answer,
        parts: answer.parts.map((part) => ({ ...part, url: 'http://192.168.1.1/apply.cgi' })),
      }),
    ];
    for (const lie of lies) {
      server.fault = async ({ method, url }, handle) => {
        const response = await handle();
        return method === 'POST' && url.pathname === '/v1/attachments'
          ? Response.json(lie((await response.json()) as Answer))
          : response;
      };
      await expect(upload()).rejects.toMatchObject({ code: 'bad-answer' });
    }
    expect(server.asked.filter(({ method }) => method === 'PUT')).toEqual([]);
  });

  it('holds three parts at most, and one on a link that breaks', async () => {
    let [under, most, after] = [0, 0, 0];
    let broke = false;
    server.partBytes = 20_000;
    server.fault = async ({ method, url }, handle) => {
      if (method !== 'PUT') return handle();
      under++;
      if (broke) after = Math.max(after, under);
      else most = Math.max(most, under);
      await new Promise((resolve) => setImmediate(resolve));
      under--;
      if (!broke && url.pathname.endsWith('/9')) {
        // The others that are on their way come to their end.
        while (under > 0) await new Promise((resolve) => setImmediate(resolve));
        broke = true;
        throw new TypeError('terminated');
      }
      return handle();
    };
    await upload();
    expect(most).toBe(3);
    expect(after).toBeLessThanOrEqual(2);
  });
});

describe('a download', () => {
  it('goes on at the byte where a link broke', async () => {
    const descriptor = await upload();
    server.asked.length = 0;
    let breaks = 0;
    server.fault = async (_asked, handle) => (breaks++ < 4 ? brokenAfter(await handle(), 70_001) : handle());
    await expectWhole(descriptor);
    const { sealedSize } = descriptor;
    expect(server.asked.map(({ headers }) => headers.get('range'))).toEqual(
      [null, 70_001, 140_002, 210_003, 280_004].map((from) => from && `bytes=${from}-${sealedSize - 1}`),
    );
  });

  it('follows the server to where the file is, with its range, at each beginning', async () => {
    const descriptor = await upload();
    const place = 'https://s3.example.net/bucket/1?signature=x';
    let breaks = 0;
    server.asked.length = 0;
    server.fault = async ({ url, headers }) => {
      if (url.origin === ORIGIN) return new Response(null, { status: 307, headers: { location: place } });
      const range = headers.get('range');
      const response = await server.fetch(descriptor.url, { headers: { ...(range && { range }), direct: 'yes' } });
      return breaks++ === 0 ? brokenAfter(response, 50_000) : response;
    };
    const redirect = server.fault;
    server.fault = (asked, handle) => (asked.headers.has('direct') ? undefined : redirect(asked, handle));
    await expectWhole(descriptor);
    expect(server.asked.filter(({ url }) => url.href === place)).toHaveLength(2);
  });

  it.each([
    ['in the clear', 'http://192.168.1.1/reboot'],
    ['in a circle', '/v1/files/1'],
    ['with a password', 'https://admin:admin@example.org/'],
  ])('T132: does not follow the server where nobody should go: %s', async (_name, location) => {
    const descriptor = await upload();
    server.asked.length = 0;
    server.fault = () => new Response(null, { status: 307, headers: { location } });
    await expect(collect(files.download(descriptor))).rejects.toMatchObject({ code: 'bad-answer' });
    expect(server.asked.length).toBeLessThanOrEqual(4);
    expect(server.asked.every(({ url }) => url.origin === ORIGIN)).toBe(true);
  });

  it.each([
    'https://evil.example/collect?who=bob',
    'http://169.254.169.254/latest/meta-data',
    'http://[::1]:8080/v1/accounts',
    'https://chat.example.org:8443/v1/files/1',
    'https://chat.example.org.evil.example/v1/files/1',
  ])('G10: is made from our own server, and nothing is asked of %s', async (url) => {
    const descriptor = { ...(await upload()), url };
    server.asked.length = 0;
    await expect(collect(files.download(descriptor))).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringContaining(new URL(url).host),
    });
    await expect(collect(files.downloadRange(descriptor, 0, 1))).rejects.toMatchObject({ code: 'bad-file' });
    expect(new Set(server.lines)).toEqual(new Set(['GET /.well-known/sealwire']));
  });

  it('of a file that was sent by another address of our server asks the one that we know', async () => {
    const descriptor = await upload();
    server.origins = ['http://localhost:8080'];
    const url = descriptor.url.replace(ORIGIN, 'http://localhost:8080');
    await expectWhole({ ...descriptor, url });
  });

  it('T133: of a file that is longer than was said, or shorter, is refused and not read on', async () => {
    const descriptor = await upload();
    let read = 0;
    server.fault = async (_asked, handle) => {
      const bytes = new Uint8Array(await (await handle()).arrayBuffer());
      const body = new ReadableStream({
        pull(controller) {
          controller.enqueue(read++ === 0 ? bytes : new Uint8Array(1));
        },
      });
      return new Response(body);
    };
    await expect(collect(files.download(descriptor))).rejects.toMatchObject({ code: 'bad-file' });
    expect(read).toBeLessThan(5);
    server.fault = () => problem(416, 'range-not-satisfiable');
    await expect(collect(files.download(descriptor))).rejects.toMatchObject({ code: 'bad-file' });
  });

  it('of a file that is gone says whether its time was over', async () => {
    const descriptor = await upload();
    server.files.clear();
    await expect(collect(files.download(descriptor))).rejects.toMatchObject({ code: 'not-found' });
    now = descriptor.expiresAt;
    await expect(collect(files.download(descriptor))).rejects.toMatchObject({ code: 'file-expired' });
    await expect(collect(files.downloadRange(descriptor, 0, 1))).rejects.toMatchObject({ code: 'file-expired' });
  });

  it('ends when it is given up, and with its client', async () => {
    const descriptor = await upload();
    const ending = new AbortController();
    await expect(
      (async () => {
        for await (const _ of files.download(descriptor, { signal: ending.signal })) ending.abort();
      })(),
    ).rejects.toMatchObject({ code: 'aborted' });
    lifetime.abort();
    await expect(collect(files.download(descriptor))).rejects.toMatchObject({ code: 'aborted' });
    await expect(upload()).rejects.toMatchObject({ code: 'aborted' });
  });

  it('of a part fetches the segments that it is in, and goes on after a lost link', async () => {
    const descriptor = await upload();
    server.asked.length = 0;
    let asked = 0;
    server.fault = async (_asked, handle) => (asked++ === 1 ? brokenAfter(await handle(), 10_000) : handle());
    const part = await collect(files.downloadRange(descriptor, 70_000, 140_000));
    expect(part.equals(plaintext.subarray(70_000, 140_000))).toBe(true);
    const header = 74;
    expect(server.asked.map(({ headers }) => headers.get('range'))).toEqual([
      'bytes=0-73',
      `bytes=${header + 65_536}-${header + 3 * 65_536 - 1}`,
      `bytes=${header + 65_536 + 10_000}-${header + 3 * 65_536 - 1}`,
    ]);
  });

  it('of a file of an engine that is not here says so, and asks nobody', async () => {
    const descriptor = { ...(await upload()), engine: 'xor' };
    server.asked.length = 0;
    await expect(collect(files.download(descriptor))).rejects.toMatchObject({ code: 'engine-missing' });
    expect(server.asked).toEqual([]);
  });
});

describe('the content of a message', () => {
  it('that is about no file names none, and one that lies is refused', () => {
    expect(fileIn({ type: 'text/plain', body: new Uint8Array(0) })).toBeUndefined();
    const lie = () => fileIn({ type: 'application/vnd.sealwire.file', body: Uint8Array.of(1, 2, 3) });
    expect(lie).toThrow(expect.objectContaining({ code: 'bad-file', retryable: false }));
  });
});
