/**
 * Attachments from a page of another origin, in a real browser and by `fetch` alone: to a folder of the server, and to an
 * S3 server behind nginx with the configuration that operators get.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { openFileBlobs } from '@sealwire/blobs/files';
import { openBlobs } from '@sealwire/blobs/open';
import type { Blobs } from '@sealwire/blobs/port';
import { selfSigned, writeSelfSigned } from '@sealwire/service/testing/self-signed';
import { Chromium, deviceIn, findChromium } from './browser/chromium.ts';
import { PageServer } from './browser/page-server.ts';
import { freePort, startConstellation } from './constellation.ts';
import { hasNginx, startNginx } from './nginx.ts';

jest.setTimeout(60_000);

const program = findChromium();
const s3 = process.env.S3_URL;
const BUCKET = 'sealwire-test-pages';
/** Across the edge of two parts. */
const BYTES = (8 << 20) + 70_000;
const RANGE = { first: (8 << 20) - 5, last: (8 << 20) + 4 };

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Place {
  readonly blobs: Blobs;
  /** Where pages reach it, if not by the server. */
  readonly origin?: string;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-page-'));
  ends.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

async function s3BehindNginx(): Promise<Place> {
  const tls = writeSelfSigned(selfSigned('files'));
  ends.push(() => rmSync(tls.folder, { recursive: true }));
  const listen = `127.0.0.1:${await freePort()}`;
  const nobody = 'server 127.0.0.1:1;';
  const end = await startNginx(tls.folder, {
    ...{ API: nobody, DIRECTORY: nobody, RELAY: nobody, LISTEN: listen, SERVER_NAME: '_', TLS: tls.folder },
    ...{ HEALTH: `127.0.0.1:${await freePort()}`, FILES: new URL(s3!).host, BUCKET },
  });
  ends.push(end);
  const publicOrigin = `http://${listen}`;
  const terms = { accessKey: 'sealwire', secretKey: 'sealwire-secret', publicOrigin };
  return { blobs: await openBlobs(`s3+${s3}/${BUCKET}`, terms), origin: publicOrigin };
}

const PLACES = [
  {
    name: 'a folder',
    lacks: program ? '' : 'Chromium',
    open: async () => ({ blobs: await openFileBlobs({ folder: newFolder() }) }),
  },
  {
    name: 'an S3 server behind nginx',
    lacks: program && s3 && hasNginx ? '' : 'Chromium, S3_URL, nginx',
    open: s3BehindNginx,
  },
];

interface Answer {
  readonly id: string;
  readonly url: string;
  readonly parts: readonly { readonly offset: number; readonly bytes: number; readonly url: string }[];
}

/** In the page. */
async function transfer({ server, caller, bytes, first, last }: Record<string, string | number>) {
  const there = (url: string) => new URL(url, `${server}/v1/attachments`);
  async function call(method: string, path: string, body?: string): Promise<Answer> {
    const headers = { authorization: caller as string, ...(body && { 'content-type': 'application/json' }) };
    return (await fetch(there(path), { method, headers, ...(body && { body }) })).json() as Promise<Answer>;
  }
  const content = new Uint8Array(bytes as number).map((_, i) => (i * 31 + (i >> 8) * 7) & 0xff);
  const begun = await call('POST', '/v1/attachments', JSON.stringify({ bytes }));
  for (const part of begun.parts) {
    const body = content.subarray(part.offset, part.offset + part.bytes);
    if (!(await fetch(there(part.url), { method: 'PUT', body })).ok) throw new Error('not taken');
  }
  const { url } = await call('POST', `/v1/attachments/${begun.id}/complete`);
  const { status, headers, ...answer } = await fetch(there(url), { headers: { range: `bytes=${first}-${last}` } }).then(
    async (got) => ({ status: got.status, headers: got.headers, body: new Uint8Array(await got.arrayBuffer()) }),
  );
  const head = ['content-range', 'content-length', 'accept-ranges'].map((name) => headers.get(name));
  const expected = content.subarray(first as number, (last as number) + 1);
  return { status, head, isRight: answer.body.join() === expected.join() };
}

describe.each(PLACES)('a page of another origin and $name', ({ lacks, open }) => {
  (lacks ? it.skip : it)(`sends a file, and reads a range of it${lacks && ` (skipped without ${lacks})`}`, async () => {
    const place: Place = await open();
    ends.push(() => place.blobs.close());
    const pages = await PageServer.listen();
    ends.push(() => pages.close());
    const server = await startConstellation({ blobs: place.blobs, allowedOrigins: [pages.origin] });
    ends.push(() => server.stop());
    pages.allow(server.origin, place.origin);
    const browser = await Chromium.start(program!, newFolder());
    ends.push(() => browser.kill());
    const page = await browser.openPage(pages.origin);
    const publication = page.waitForRequest((request) => request.url().endsWith('/lime'));
    await deviceIn(page).register(server.origin, 'alice');
    const caller = (await (await publication).headerValue('authorization')) ?? '';
    expect(await page.evaluate(transfer, { server: server.origin, caller, bytes: BYTES, ...RANGE })).toEqual({
      status: 206,
      head: [`bytes ${RANGE.first}-${RANGE.last}/${BYTES}`, '10', 'bytes'],
      isRight: true,
    });
  });
});
