/**
 * What a device needs to fetch, open and show a file: `proto/file.proto`, docs/spec/files.md section 3. It travels inside an encrypted
 * message, as the body of a `Content` of its media type. Byte fields are views.
 */

import { isEngineId, MEDIA_TYPE } from './envelope.ts';
import { isFileName } from './file-name.ts';
import { engineFileSize, LARGEST_FILE, sealedFileSize } from './file-sizes.ts';
import { bytes, exactly, MessageType, matching, text, uint } from './protobuf/fields.ts';
import { urlIn } from './url.ts';

export const FILE_TYPE = 'application/vnd.sealwire.file';
export const THUMBNAIL_BYTES = 16_384;
export const FILE_URL_BYTES = 2_048;
const KEY_BYTES = 32;
const DIGEST_BYTES = 32;

const IMAGE = /^image\/(?:jpeg|png|webp)$/;

export const FILE_DESCRIPTOR = new MessageType(
  {
    key: exactly(1, KEY_BYTES),
    /** SHA-256 of all encrypted bytes. */
    digest: exactly(2, DIGEST_BYTES),
    size: uint(3),
    sealedSize: uint(4),
    name: text(5, 255),
    type: matching(6, MEDIA_TYPE, 255),
    thumbnailType: text(7, 10),
    thumbnail: bytes(8, THUMBNAIL_BYTES),
    url: text(9, FILE_URL_BYTES),
    expiresAt: uint(10),
    engine: text(11, 32),
  },
  {
    check({ size, sealedSize, name, thumbnailType, thumbnail, url, engine }, reader) {
      if (size > LARGEST_FILE) reader.fail('a file beyond all sizes');
      if (engine !== '' && !isEngineId(engine)) reader.fail('an engine without a name');
      if (sealedSize !== sizeUnder(engine, size)) reader.fail('sizes that do not belong together');
      if (!isFileName(name)) reader.fail('a name that is unsafe for a file');
      if (thumbnail.length === 0 ? thumbnailType !== '' : !IMAGE.test(thumbnailType))
        reader.fail('a thumbnail that is no image');
      if (!isFileUrl(url)) reader.fail('a URL that no file is fetched from');
    },
  },
);

/** What opens a file: nothing of it is for a server. */
export interface SealedFile {
  readonly key: Uint8Array;
  readonly digest: Uint8Array;
  readonly size: number;
  readonly sealedSize: number;
}

export interface FileDescriptor extends SealedFile {
  readonly name: string;
  /** Media type, as its sender says: never a reason to run or render anything. */
  readonly type: string;
  readonly thumbnail?: { readonly type: string; readonly body: Uint8Array };
  /** Where the encrypted file is read by whoever knows this: absolute, `http:` or `https:`, in the spelling of the URL standard. */
  readonly url: string;
  /** ms; from then on the server does not have it any more. */
  readonly expiresAt: number;
  /** The encryption engine of the file; absent: docs/spec/files.md section 1. */
  readonly engine?: string;
}

const NO_BYTES = new Uint8Array(0);

/** Throws `WireError` `bad-file-descriptor` for what `decodeFileDescriptor` would refuse. */
export function encodeFileDescriptor({ thumbnail, engine = '', ...file }: FileDescriptor): Uint8Array<ArrayBuffer> {
  const { type: thumbnailType = '', body = NO_BYTES } = thumbnail ?? {};
  const bytes = FILE_DESCRIPTOR.encode({ ...file, engine, thumbnailType, thumbnail: body });
  decodeFileDescriptor(bytes);
  return bytes;
}

/** Throws `WireError` `bad-file-descriptor`. */
export function decodeFileDescriptor(bytes: Uint8Array): FileDescriptor {
  const { thumbnailType, thumbnail, engine, ...file } = FILE_DESCRIPTOR.decode(bytes, 'bad-file-descriptor');
  return {
    ...file,
    ...(thumbnail.length > 0 && { thumbnail: { type: thumbnailType, body: thumbnail } }),
    ...(engine !== '' && { engine }),
  };
}

/** No credentials, no fragment, and one spelling only, so that two programs do not read two hosts in it. */
export function isFileUrl(text: string): boolean {
  const url = urlIn(text);
  if (!url) return false;
  const { href, protocol, username, password, hash } = url;
  return (
    href === text &&
    /^https?:$/.test(protocol) &&
    username === '' &&
    password === '' &&
    hash === '' &&
    !text.includes('#')
  );
}

function sizeUnder(engine: string, size: number): number {
  return engine === '' ? sealedFileSize(size) : engineFileSize(size);
}
