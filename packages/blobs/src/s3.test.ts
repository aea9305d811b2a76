/**
 * The contract on real S3 servers of two makers: `S3_URL` (`infra/engines/s3.sh`) and `SWIFT_S3_URL`
 * (`infra/engines/swift.sh`) name them, with the keys of those scripts. Without one it is skipped, aloud.
 */
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { blobsContract, type OpenedBlobs, pattern } from './contract.ts';
import { openBlobs } from './open.ts';
import { partsOf } from './parts.ts';
import type { Blobs, ByteRange, Part, SignedUrls, Upload } from './port.ts';

const KEYS = { accessKey: 'sealwire', secretKey: 'sealwire-secret' };
const SERVERS = [
  { variable: 'S3_URL', name: 's3', keys: KEYS, takesLateParts: false },
  {
    variable: 'SWIFT_S3_URL',
    name: 's3 of swift',
    keys: { ...KEYS, accessKey: 'sealwire:tests' },
    takesLateParts: true,
  },
] as const;
const BUCKET = 'sealwire-test-blobs';
const SIZE = 4_096;
const [PART] = partsOf(SIZE) as [Part];
const MINUTE = 60_000;

/** Requests on their way need these. */
const NOT_THE_CLOCK = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;

/** The server reads a real clock, so URLs are signed by one. */
const now = () => Date.now();
const terms = () => ({ now: now(), until: now() + MINUTE });
const urlsOf = (blobs: Blobs) => blobs.way as SignedUrls;

async function put(url: string, bytes: Uint8Array): Promise<number> {
  const answer = await fetch(url, { method: 'PUT', body: new Uint8Array(bytes) });
  await answer.arrayBuffer();
  return answer.status;
}

async function opened(open: () => Promise<Blobs>, takesLateParts: boolean): Promise<OpenedBlobs> {
  const blobs = await open();
  return {
    blobs,
    takesLateParts,
    async put(upload: Upload, part: Part, bytes: Uint8Array) {
      const status = await put(await urlsOf(blobs).partUrl(upload, part, terms()), bytes);
      return status === 200 ? 'sent' : status === 404 ? 'gone' : 'refused';
    },
    async get(id: string, range?: ByteRange) {
      const url = await urlsOf(blobs).readUrl(id, terms());
      const answer = await fetch(url, { headers: range ? { range: `bytes=${range.first}-${range.last}` } : {} });
      const bytes = Buffer.from(await answer.arrayBuffer());
      return answer.ok ? bytes : undefined;
    },
    again: open,
    close: () => blobs.close(),
  };
}

for (const { variable, name, keys, takesLateParts } of SERVERS) {
  const server = process.env[variable];
  if (server === undefined) {
    describe(`blobs contract: ${name}`, () => {
      it.skip(`needs ${variable}: an S3 server for tests`, () => {});
    });
    continue;
  }
  const open = () => openBlobs(`s3+${server}/${BUCKET}`, keys);
  jest.setTimeout(60_000);
  blobsContract(name, () => opened(open, takesLateParts), now);

  describe(`an S3 server: ${name}`, () => {
    const blobs = open();
    afterAll(async () => (await blobs).close());

    async function begun(id: string): Promise<Upload> {
      return { id, bytes: SIZE, handle: await (await blobs).begin(id, SIZE, now()) };
    }

    it('G04: takes a signed URL for its method, object, part, length and time only', async () => {
      const { partUrl, readUrl } = urlsOf(await blobs);
      const [mine, other] = [await begun('mine'), await begun('other')];
      const url = await partUrl(mine, PART, terms());
      const content = pattern(SIZE, 1);
      const past = { now: now() - 2 * MINUTE, until: now() - MINUTE };
      expect(await put(url.replace('/mine?', '/other?'), content)).toBe(403);
      expect(await put(url.replace(mine.handle, other.handle), content)).toBe(403);
      expect(await put(url.replace('partNumber=1', 'partNumber=2'), content)).toBe(403);
      expect(await put(url, pattern(SIZE + 1, 1))).toBe(403);
      expect(await put(url, pattern(SIZE - 1, 1))).toBe(403);
      expect((await fetch(url)).status).toBe(403);
      expect(await put(await partUrl(mine, PART, past), content)).toBe(403);
      expect(await put(await readUrl('mine', terms()), content)).toBe(403);
      expect((await fetch(await readUrl('mine', past))).status).toBe(403);
      expect(await (await blobs).partsThere(mine)).toEqual([]);
      expect(await put(url, content)).toBe(200);
      await (await blobs).complete(mine);
      await (await blobs).abort(other);
    });

    it('G09: answers a signed URL as bytes to keep, whatever they look like', async () => {
      const upload = await begun('page');
      const page = Buffer.from('<html><script>alert(1)</script>'.padEnd(SIZE));
      await put(await urlsOf(await blobs).partUrl(upload, PART, terms()), page);
      await (await blobs).complete(upload);
      const { headers } = await fetch(await urlsOf(await blobs).readUrl('page', terms()));
      expect([headers.get('content-type'), headers.get('content-disposition')]).toEqual([
        'application/octet-stream',
        'attachment',
      ]);
    });

    it('clocks apart: URLs are signed by the server’s clock, as its answers tell it', async () => {
      const behind = now() - 3_600_000;
      jest.useFakeTimers({ now: behind, doNotFake: [...NOT_THE_CLOCK] });
      try {
        const early = await open();
        const upload = { id: 'apart', bytes: SIZE, handle: await early.begin('apart', SIZE, behind) };
        const url = await urlsOf(early).partUrl(upload, PART, { now: behind, until: behind + MINUTE });
        expect(await put(url, pattern(SIZE, 1))).toBe(200);
        await early.complete(upload);
        await early.close();
      } finally {
        jest.useRealTimers();
      }
    });

    it('clients reach it under another name than this process, and the signature is for theirs', async () => {
      const front = createServer((request, response) => {
        const { method, headers, url } = request;
        const onward = httpRequest(`${server}${url}`, { method, headers }, (answer) => {
          response.writeHead(answer.statusCode!, answer.headers);
          answer.pipe(response);
        });
        request.pipe(onward);
      });
      await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
      const publicOrigin = `http://localhost:${(front.address() as AddressInfo).port}`;
      const named = await openBlobs(`s3+${server}/${BUCKET}`, { ...keys, publicOrigin });
      const upload = { id: 'named', bytes: SIZE, handle: await named.begin('named', SIZE, now()) };
      const url = await urlsOf(named).partUrl(upload, PART, terms());
      expect(url.startsWith(`${publicOrigin}/`)).toBe(true);
      expect(await put(url, pattern(SIZE, 1))).toBe(200);
      await named.complete(upload);
      await named.close();
      front.close();
    });
  });
}

describe('a place for files that is named wrongly', () => {
  it.each([
    ['https://host/bucket', {}, /use file:FOLDER or s3\+https:\/\/HOST\/BUCKET/],
    ['s3+https://user:secret@host/bucket', KEYS, /use file:FOLDER or/],
    ['s3+http://127.0.0.1:1/bucket', {}, /set BLOBS_ACCESS_KEY and BLOBS_SECRET_KEY/],
    ['s3+http://127.0.0.1:1/bucket', KEYS, /127\.0\.0\.1:1 cannot be reached/],
  ])('%s is one line with the fix', async (url, keys, line) => {
    const error = (await openBlobs(url, keys).catch((thrown: unknown) => thrown)) as Error;
    expect(error.message).toMatch(line);
    expect(error.message).not.toMatch(/\n|secret/);
  });
});
