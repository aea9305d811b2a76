/** What an application does with files: sends one to the server, encrypted, and fetches one that a message names (docs/spec/files.md). */
import type { FileDescriptor } from '@sealwire/wire/file-descriptor';
import { ClientError } from '../errors.ts';
import type { FileSource } from './file-source.ts';

/** `done` of `of` encrypted bytes; counts up. */
export type OnProgress = (done: number, of: number) => void;

export interface UploadOptions {
  /** What it is called; of a path the last component counts, and what is unfit for a name becomes `_`. */
  readonly name: string;
  /** Media type. */
  readonly type: string;
  /** JPEG, PNG or WebP, at most 16 KiB. */
  readonly thumbnail?: { readonly type: string; readonly body: Uint8Array };
  /** The conversation whose engine encrypts, a name or an address. Default: the first engine that encrypts files. */
  readonly to?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

export interface DownloadOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

export class ClientFiles {
  /**
   * Encrypts the file and sends it to the server; the answer is for `fileContent` and any number of messages. Lost links and servers that
   * start again are waited for. Throws `ClientError`: `limit-reached`, `payload-too-large`, `storage-full`, `file-changed`, `bad-file`,
   * `unreachable`, `aborted`, …; what was sent is deleted then.
   */
  upload(_source: FileSource, _options: UploadOptions): Promise<FileDescriptor> {
    throw new ClientError('bad-file', 'not yet');
  }

  /**
   * The file, as it comes. Its end is handed out only when all of it was right: keep what comes under a temporary name until then. Lost
   * links are made again. Throws `ClientError`: `file-expired`, `not-found`, `bad-file`, `engine-missing`, `unreachable`, `aborted`, …
   */
  download(_descriptor: FileDescriptor, _options: DownloadOptions = {}): AsyncIterable<Uint8Array> {
    throw new ClientError('bad-file', 'not yet');
  }

  /** The bytes from `start` up to `end` (not included): the sender's, at this place. Otherwise as `download`. */
  downloadRange(
    _descriptor: FileDescriptor,
    _start: number,
    _end: number,
    _options: DownloadOptions = {},
  ): AsyncIterable<Uint8Array> {
    throw new ClientError('bad-file', 'not yet');
  }
}
