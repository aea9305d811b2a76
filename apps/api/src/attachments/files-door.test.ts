/** Transfers that do not go as they should, over bare sockets. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openFileBlobs } from '@sealwire/blobs/files';
import { partsOf } from '@sealwire/blobs/parts';
import type { Blobs, Streams, Upload } from '@sealwire/blobs/port';
import { nodeCrypto } from '@sealwire/crypto/node';
import { createHealth } from '@sealwire/service/health';
import { type Listening, listen } from '@sealwire/service/listen';
import { silentLog } from '@sealwire/service/log';
import { createMetrics } from '@sealwire/service/metrics';
import { LIMITS } from '@sealwire/wire/limits';
import { createFilesDoor } from './files-door.ts';
import { createSignedPaths, FILES_PREFIX } from './signed-paths.ts';

const NOW = 1_800_000_000_000;
const UNTIL = NOW + 60_000;
const SIZE = 1 << 20;
const LARGE = 24 << 20;
const REQUEST_MS = 60;
const MOVING = LIMITS.transferStallBytes.value;
const now = () => NOW;

let folder: string;
let blobs: Blobs;
let listening: Listening;
/** As the clock would have it. */
let check: () => void;
let came: number;
let onReceived: () => void;
let readingEnded: Promise<void>;
const paths = createSignedPaths({ crypto: nodeCrypto(), key: new Uint8Array(32).fill(7), now, basePath: '' });

/** The server's own time for a body is short, the route's is long, as in production: there ten seconds and a day. */
beforeEach(async () => {
  folder = await mkdtemp(`${tmpdir()}/sealwire-files-`);
  blobs = await openFileBlobs({ folder });
  came = 0;
  let endReading = () => {};
  readingEnded = new Promise((resolve) => {
    endReading = resolve;
  });
  const metrics = createMetrics();
  const handle = createFilesDoor({
    blobs: watched(blobs, endReading),
    paths,
    now,
    log: silentLog,
    metrics,
    idleMs: 200,
    watch(given) {
      check = given;
      return () => {};
    },
  });
  const door = { handle, ready: async () => {}, close: async () => {} };
  listening = await listen({
    address: { host: '127.0.0.1', port: 0 },
    routes: [
      { prefix: '/', door: { ...door, handle() {} } },
      { prefix: FILES_PREFIX, door, requestMs: 60_000 },
    ],
    health: createHealth({ server: 'test', version: '1', ready: door.ready, metrics, log: silentLog, now }),
    log: silentLog,
    metrics,
    limits: { requestMs: REQUEST_MS, checkEveryMs: 10 },
  });
});
afterEach(async () => {
  await listening.close();
  await rm(folder, { recursive: true });
});

/** Counts what reaches it, and tells when a reader has ended. */
function watched(place: Blobs, endReading: () => void): Blobs {
  const way = place.way as Streams;
  return {
    ...place,
    way: {
      by: 'streams',
      writePart: (upload, part, body) => way.writePart(upload, part, counted(body)),
      async read(id, range) {
        const body = await way.read(id, range);
        return (async function* () {
          try {
            yield* body;
          } finally {
            endReading();
          }
        })();
      },
    },
  };
}

async function* counted(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    came += piece.length;
    onReceived?.();
    yield piece;
  }
}

/** Resolves when so much has reached the place, over all uploads. */
function received(bytes: number): Promise<void> {
  return new Promise((resolve) => {
    onReceived = () => {
      if (came >= bytes) resolve();
    };
    onReceived();
  });
}

async function begun(bytes: number): Promise<Upload> {
  return { id: 'file', bytes, handle: await blobs.begin('file', bytes, NOW) };
}

async function whole(bytes: number): Promise<void> {
  const upload = await begun(bytes);
  for (const part of partsOf(bytes))
    await (blobs.way as Streams).writePart(
      upload,
      part,
      (async function* () {
        yield Buffer.alloc(part.bytes, part.number);
      })(),
    );
  await blobs.complete(upload);
}

const partOf = ({ id, handle, bytes: size }: Upload) => paths.part({ id, handle, size, number: 1 }, UNTIL);
const get = (headers: Record<string, string>, method = 'GET') =>
  fetch(listening.url + paths.file('file', UNTIL), { headers, method });

async function dial(head: string): Promise<Socket> {
  const socket = connect(listening.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(`${head}\r\nHost: localhost\r\n`);
  return socket;
}

/** All that comes, when nothing more does. */
async function heard(socket: Socket): Promise<string> {
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  await once(socket, 'close');
  return Buffer.concat(pieces).toString('latin1');
}

describe('an upload', () => {
  it('may take longer than a request, as long as it moves', async () => {
    const upload = await begun(SIZE);
    const slow = await dial(`PUT ${partOf(upload)} HTTP/1.1`);
    slow.write(`Content-Length: ${SIZE}\r\n\r\n`);
    const answer = once(slow, 'data');
    for (let sent = 0; sent < SIZE / 2; sent += MOVING) {
      slow.write(Buffer.alloc(MOVING));
      await received(sent + MOVING);
      check();
    }
    // One that begins now, elsewhere, is too slow before this one is through.
    const other = await dial('POST /elsewhere HTTP/1.1');
    other.write('Content-Length: 9\r\n\r\n');
    expect(await heard(other)).toMatch(/^HTTP\/1\.1 408 /);
    slow.write(Buffer.alloc(SIZE / 2));
    expect(String((await answer)[0])).toMatch(/^HTTP\/1\.1 204 /);
    slow.destroy();
    expect(await blobs.partsThere(upload)).toEqual([1]);
  });

  it('that stands still ends, and what was there of its part stays', async () => {
    const upload = await begun(SIZE);
    expect((await fetch(listening.url + partOf(upload), { method: 'PUT', body: Buffer.alloc(SIZE) })).status).toBe(204);
    const still = await dial(`PUT ${partOf(upload)} HTTP/1.1`);
    still.write(`Content-Length: ${SIZE}\r\n\r\n${'x'.repeat(MOVING)}`);
    await received(SIZE + MOVING);
    const end = heard(still);
    check();
    still.write('x'.repeat(MOVING - 1));
    await received(SIZE + 2 * MOVING - 1);
    check();
    expect(await end).toBe('');
    expect(await blobs.partsThere(upload)).toEqual([1]);
  });

  it('that says another length, or none, is refused before anything of it is read', async () => {
    const upload = await begun(SIZE);
    for (const length of [`Content-Length: ${SIZE + 1}`, `Content-Length: ${SIZE - 1}`, 'Transfer-Encoding: chunked']) {
      const socket = await dial(`PUT ${partOf(upload)} HTTP/1.1`);
      socket.write(`${length}\r\n\r\n`);
      const text = await heard(socket);
      expect(text).toMatch(/^HTTP\/1\.1 403 /);
      expect(text).toContain(`this part has ${SIZE} bytes`);
    }
    expect(await blobs.partsThere(upload)).toEqual([]);
  });

  it('whose link is lost leaves no part', async () => {
    const upload = await begun(SIZE);
    const socket = await dial(`PUT ${partOf(upload)} HTTP/1.1`);
    socket.write(`Content-Length: ${SIZE}\r\n\r\n${'x'.repeat(1_000)}`);
    socket.destroy();
    await once(socket, 'close');
    expect(await blobs.partsThere(upload)).toEqual([]);
    const answer = await fetch(listening.url + partOf(upload), { method: 'PUT', body: Buffer.alloc(SIZE) });
    expect(answer.status).toBe(204);
  });
});

describe('a download', () => {
  it.each([
    ['bytes=0-0', 206, 1],
    ['bytes=5-', 206, SIZE - 5],
    ['bytes=-5', 206, 5],
    [`bytes=0-${SIZE * 2}`, 206, SIZE],
    ['bytes=0-1,5-6', 200, SIZE],
    ['lines=0-1', 200, SIZE],
    ['bytes=nonsense', 416, -1],
    [`bytes=${SIZE}-`, 416, -1],
  ])('Range: %s → %d', async (range, status, length) => {
    await whole(SIZE);
    const answer = await get({ range });
    expect(answer.status).toBe(status);
    const body = await answer.arrayBuffer();
    if (status !== 416) expect(body.byteLength).toBe(length);
    else expect(answer.headers.get('content-range')).toBe(`bytes */${SIZE}`);
  });

  it('with a condition that cannot be kept is of the whole file', async () => {
    await whole(SIZE);
    const answer = await get({ range: 'bytes=0-0', 'if-range': '"other"' });
    expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([200, SIZE]);
  });

  it('that nobody takes ends', async () => {
    await whole(LARGE);
    const socket = await dial(`GET ${paths.file('file', UNTIL)} HTTP/1.1`);
    socket.pause();
    socket.write('\r\n');
    await readingEnded;
    expect((await heard(socket.resume())).length).toBeLessThan(LARGE);
  });

  it('of a file that is deleted in the middle ends before its length', async () => {
    await whole(LARGE);
    const answer = await get({});
    const reader = answer.body!.getReader();
    await reader.read();
    await blobs.delete('file');
    const rest = async () => {
      for (let next = await reader.read(); !next.done; next = await reader.read());
    };
    await expect(rest()).rejects.toThrow();
  });

  it.each([
    ['POST', () => paths.file('file', UNTIL), 'GET, HEAD'],
    ['GET', () => '/v1/files/file/1', 'PUT'],
  ])('%s elsewhere → 405 with what is allowed', async (method, path, allow) => {
    const answer = await fetch(listening.url + path(), { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow]);
  });
});
