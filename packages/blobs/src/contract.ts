/** What every adapter must do, as tests: an adapter's test file plugs itself in and adds nothing but its own faults. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { partBytesOf, partsOf } from './parts.ts';
import { BlobError, type BlobErrorKind, type Blobs, type ByteRange, type Part, type Upload } from './port.ts';

export interface OpenedBlobs {
  readonly blobs: Blobs;
  /** Sends a part as a client does: 'sent', or how it was refused. */
  put(upload: Upload, part: Part, bytes: Uint8Array): Promise<'sent' | 'refused' | 'gone'>;
  /** Swift goes on taking parts of an upload that is complete; a reader then gets an error, until the right part is there again. */
  readonly takesLateParts?: boolean;
  /** Reads as a client does; undefined: there is no such file, or none that can be read. */
  get(id: string, range?: ByteRange): Promise<Buffer | undefined>;
  /** As another process sees the same place. */
  again(): Promise<Blobs>;
  close(): Promise<void>;
}

/** A whole part and a bit. */
const LARGE = partBytesOf(1) + 70_000;
const SMALL = 4_096;

export function blobsContract(name: string, open: () => Promise<OpenedBlobs>, now: () => number): void {
  describe(`blobs contract: ${name}`, () => {
    let place: OpenedBlobs;
    let ids = 0;
    beforeEach(async () => {
      place = await open();
    });
    afterEach(() => place.close());

    /** Unlike any other of this run or an earlier one. */
    const freshId = () => `t${now().toString(36)}-${ids++}`;

    async function begun(bytes: number, id = freshId()): Promise<Upload> {
      return { id, bytes, handle: await place.blobs.begin(id, bytes, now()) };
    }

    async function sendAll(upload: Upload, content: Buffer): Promise<void> {
      for (const part of partsOf(upload.bytes))
        expect(await place.put(upload, part, content.subarray(part.offset, part.offset + part.bytes))).toBe('sent');
    }

    it('gives back what was sent, whole and by ranges across parts', async () => {
      const content = pattern(LARGE, 1);
      const upload = await begun(LARGE);
      await sendAll(upload, content);
      await place.blobs.complete(upload);
      expect(await place.blobs.size(upload.id)).toBe(LARGE);
      expect((await place.get(upload.id))?.equals(content)).toBe(true);
      const edge = partBytesOf(LARGE);
      for (const [first, last] of [
        [0, 0],
        [edge - 3, edge + 2],
        [edge, LARGE - 1],
        [LARGE - 1, LARGE - 1],
      ] as const)
        expect((await place.get(upload.id, { first, last }))?.equals(content.subarray(first, last + 1))).toBe(true);
    });

    it('G08: shows nothing before all parts are there and completed', async () => {
      const upload = await begun(LARGE);
      const [first, second] = partsOf(LARGE) as [Part, Part];
      await expectKind(place.blobs.complete(upload), 'incomplete');
      expect(await place.put(upload, second, pattern(second.bytes, 2))).toBe('sent');
      expect(await place.blobs.partsThere(upload)).toEqual([2]);
      await expectKind(place.blobs.complete(upload), 'incomplete');
      expect(await place.blobs.size(upload.id)).toBeUndefined();
      expect(await place.get(upload.id)).toBeUndefined();
      expect(await place.put(upload, first, pattern(first.bytes, 1))).toBe('sent');
      expect(await place.get(upload.id)).toBeUndefined();
      await place.blobs.complete(upload);
      expect(await place.blobs.size(upload.id)).toBe(LARGE);
    });

    it('resumes in another process: it knows which parts are there, and takes the others', async () => {
      const content = pattern(LARGE, 3);
      const upload = await begun(LARGE);
      const [first, second] = partsOf(LARGE) as [Part, Part];
      await place.put(upload, first, content.subarray(0, first.bytes));
      const other = await place.again();
      expect(await other.partsThere(upload)).toEqual([1]);
      await place.put(upload, second, content.subarray(second.offset));
      await other.complete(upload);
      await other.close();
      expect((await place.get(upload.id))?.equals(content)).toBe(true);
    });

    it('G03: takes a part of its declared length only', async () => {
      const upload = await begun(SMALL);
      const [part] = partsOf(SMALL) as [Part];
      for (const length of [SMALL - 1, SMALL + 1])
        expect(await place.put(upload, part, pattern(length, 1))).toBe('refused');
      expect(await place.blobs.partsThere(upload)).toEqual([]);
      await expectKind(place.blobs.complete(upload), 'incomplete');
    });

    it('takes a part again, and the later one counts', async () => {
      const upload = await begun(SMALL);
      await sendAll(upload, pattern(SMALL, 1));
      await sendAll(upload, pattern(SMALL, 2));
      await place.blobs.complete(upload);
      expect((await place.get(upload.id))?.equals(pattern(SMALL, 2))).toBe(true);
    });

    it('G08: completes once: neither the same call again nor a part that comes later changes the file', async () => {
      const upload = await begun(SMALL);
      await sendAll(upload, pattern(SMALL, 1));
      await Promise.all([place.blobs.complete(upload), place.blobs.complete(upload)]);
      await place.blobs.complete(upload);
      expect(await place.blobs.partsThere(upload)).toEqual([]);
      const [part] = partsOf(SMALL) as [Part];
      expect(await place.put(upload, part, pattern(SMALL, 9))).toBe(place.takesLateParts ? 'sent' : 'gone');
      await place.blobs.complete(upload);
      if (place.takesLateParts) {
        expect(await place.get(upload.id)).toBeUndefined();
        await place.put(upload, part, pattern(SMALL, 1));
      }
      expect((await place.get(upload.id))?.equals(pattern(SMALL, 1))).toBe(true);
    });

    it('forgets an upload that was given up, and gives up again', async () => {
      const upload = await begun(SMALL);
      await sendAll(upload, pattern(SMALL, 1));
      await place.blobs.abort(upload);
      await place.blobs.abort(upload);
      const [part] = partsOf(SMALL) as [Part];
      expect(await place.put(upload, part, pattern(SMALL, 1))).toBe('gone');
      expect(await place.blobs.partsThere(upload)).toEqual([]);
      await expectKind(place.blobs.complete(upload), 'not-found');
    });

    it('deletes a file, and deletes again', async () => {
      const upload = await begun(SMALL);
      await sendAll(upload, pattern(SMALL, 1));
      await place.blobs.complete(upload);
      const other = await begun(SMALL);
      await sendAll(other, pattern(SMALL, 2));
      await place.blobs.complete(other);
      await place.blobs.delete(upload.id);
      await place.blobs.delete(upload.id);
      expect(await place.blobs.size(upload.id)).toBeUndefined();
      expect(await place.get(upload.id)).toBeUndefined();
      await expectKind(place.blobs.complete(upload), 'not-found');
      expect(await place.blobs.size(other.id)).toBe(SMALL);
    });

    it('G08: the sweep gives up what began before, and leaves younger uploads and files alone', async () => {
      const file = await begun(SMALL);
      await sendAll(file, pattern(SMALL, 1));
      await place.blobs.complete(file);
      const upload = await begun(SMALL);
      await sendAll(upload, pattern(SMALL, 1));
      await place.blobs.sweep(now() - 3_600_000);
      expect(await place.blobs.partsThere(upload)).toEqual([1]);
      expect(await place.blobs.sweep(now() + 3_600_000)).toBeGreaterThanOrEqual(1);
      expect(await place.blobs.partsThere(upload)).toEqual([]);
      await expectKind(place.blobs.complete(upload), 'not-found');
      expect(await place.blobs.size(file.id)).toBe(SMALL);
    });

    it('keeps two uploads of one id apart', async () => {
      const id = freshId();
      const one = await begun(SMALL, id);
      const other = { id, bytes: SMALL, handle: await place.blobs.begin(id, SMALL, now() + 1) };
      await sendAll(one, pattern(SMALL, 1));
      expect(await place.blobs.partsThere(other)).toEqual([]);
      await place.blobs.abort(other);
      await place.blobs.complete(one);
      expect((await place.get(id))?.equals(pattern(SMALL, 1))).toBe(true);
    });
  });
}

/** Bytes that tell where they are. */
export function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + seed * 101) & 0xff;
  return bytes;
}

export async function expectKind(call: Promise<unknown>, kind: BlobErrorKind): Promise<void> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(BlobError);
  expect((error as BlobError).kind).toBe(kind);
}
