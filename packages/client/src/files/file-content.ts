/** A file as the content of a message: its descriptor (docs/spec/files.md section 3). */
import {
  decodeFileDescriptor,
  encodeFileDescriptor,
  FILE_TYPE,
  type FileDescriptor,
} from '@sealwire/wire/file-descriptor';
import { fileNameFrom } from '@sealwire/wire/file-name';
import { sealedFileSize } from '@sealwire/wire/file-sizes';
import { ClientError } from '../errors.ts';
import type { Content } from '../events.ts';

/** What `Client.send` takes. Throws `bad-file` for a descriptor that nobody would read. */
export function fileContent(descriptor: FileDescriptor): Content {
  try {
    return { type: FILE_TYPE, body: encodeFileDescriptor(descriptor) };
  } catch (cause) {
    throw new ClientError('bad-file', `this descriptor names no file: ${(cause as Error).message}`, { cause });
  }
}

/**
 * The file that a message (its `type` and `body`) is about; undefined: it is about something else. Its name is fit for a folder; what
 * its media type says, its sender says. Throws `bad-file` for a descriptor that lies.
 */
export function fileIn({ type, body }: Content): FileDescriptor | undefined {
  if (type !== FILE_TYPE) return undefined;
  try {
    return decodeFileDescriptor(body);
  } catch (cause) {
    throw new ClientError('bad-file', `this message names no file that could be fetched: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Throws `bad-file` for what no descriptor says: found out before anything is sent. */
export function requireDescription({
  name,
  type,
  thumbnail,
}: Pick<FileDescriptor, 'name' | 'type' | 'thumbnail'>): void {
  const nothing = { key: new Uint8Array(32), digest: new Uint8Array(32), size: 0, sealedSize: sealedFileSize(0) };
  const somewhere = { url: 'https://localhost/', expiresAt: 0 };
  fileContent({ ...nothing, ...somewhere, name: fileNameFrom(name), type, ...(thumbnail && { thumbnail }) });
}
