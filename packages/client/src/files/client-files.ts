/** What an application does with files: sends one to the server, encrypted, and fetches one that a message names (docs/spec/files.md). */
import type { FileDescriptor } from '@sealwire/wire/file-descriptor';
import { fileNameFrom } from '@sealwire/wire/file-name';
import type { AccountAddress } from '@sealwire/wire/ids';
import { originsOf } from '../accounts/discovery.ts';
import type { CallOptions } from '../client-options.ts';
import type { FileHooks } from '../engines/engine.ts';
import { throwIfAborted } from '../errors.ts';
import type { ClientRuntime, Timers } from '../runtime.ts';
import type { Services } from '../services.ts';
import { AttachmentCalls } from './attachment-calls.ts';
import { sealedBytes } from './download.ts';
import { fileContent, requireDescription } from './file-content.ts';
import type { ReadSealed } from './file-decryption.ts';
import { addressAtOurServer } from './file-place.ts';
import type { FileSource } from './file-source.ts';
import { Transfers } from './transfers.ts';
import { UploadLost, upload } from './upload.ts';

/** The engine whose files need no name: docs/spec/files.md section 1. */
const FLOE_ENGINE = 'lime';
/** An upload that the server has lost is begun anew so often. */
const BEGINNINGS = 3;

/** `done` of `of` bytes of the encrypted file; counts up. */
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

export interface ClientFilesParts {
  readonly services: Pick<Services, 'self' | 'ledger' | 'http' | 'tokens' | 'engines' | 'lifetime'>;
  readonly runtime: ClientRuntime;
  readonly timers: Timers;
  readonly addressOf: (name: string) => AccountAddress;
}

export class ClientFiles {
  readonly #parts: ClientFilesParts;
  readonly #origin: string;
  readonly #calls: AttachmentCalls;
  readonly #transfers: Transfers;

  constructor(parts: ClientFilesParts) {
    const { http, tokens, self, lifetime } = parts.services;
    const { fetch } = parts.runtime;
    this.#parts = parts;
    this.#origin = new URL(self.server).origin;
    this.#calls = new AttachmentCalls({ http, tokens, apiPath: self.paths.api });
    this.#transfers = new Transfers({ fetch, timers: parts.timers, origin: this.#origin, lifetime });
  }

  /**
   * Encrypts the file and sends it to the server; the answer is for `fileContent` and any number of messages. Lost links and servers that
   * start again are waited for. Throws `ClientError`: `limit-reached`, `payload-too-large`, `storage-full`, `file-changed`, `bad-file`,
   * `no-engine`, `engine-missing`, `engine-failed`, `unreachable`, `aborted`, …; what was sent is removed then.
   */
  async upload(source: FileSource, options: UploadOptions): Promise<FileDescriptor> {
    throwIfAborted(options.signal);
    const conversation = options.to === undefined ? undefined : this.#parts.addressOf(options.to);
    requireDescription(options);
    for (let beginning = 1; ; beginning++) {
      try {
        return await this.#uploadOnce(source, options, conversation);
      } catch (error) {
        if (!(error instanceof UploadLost) || beginning === BEGINNINGS) throw error;
      }
    }
  }

  /**
   * The file, as it comes. Its end is handed out only when all of it was right: keep what comes under a temporary name until then. Lost
   * links are made again. Throws `ClientError`: `file-expired`, `not-found`, `bad-file`, `engine-missing`, `unreachable`, `aborted`, …
   */
  async *download(
    descriptor: FileDescriptor,
    options: DownloadOptions = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { sealedSize } = descriptor;
    const { onProgress } = options;
    const hooks = this.#hooksOf(descriptor);
    const read = await this.#reading(descriptor, options);
    yield* hooks.decrypt(
      descriptor,
      onProgress ? told(read(0, sealedSize), sealedSize, onProgress) : read(0, sealedSize),
    );
  }

  /** The bytes from `start` up to `end` (not included): the sender's, at this place. Otherwise as `download`. */
  async *downloadRange(
    descriptor: FileDescriptor,
    start: number,
    end: number,
    options: CallOptions = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const hooks = this.#hooksOf(descriptor);
    yield* hooks.decryptRange(descriptor, await this.#reading(descriptor, options), start, end);
  }

  async #uploadOnce(
    source: FileSource,
    options: UploadOptions,
    conversation: AccountAddress | undefined,
  ): Promise<FileDescriptor> {
    const { services, runtime, timers } = this.#parts;
    const { name, type, thumbnail, signal, onProgress } = options;
    const { engine, files } = services.engines.filesFor(conversation, services.ledger);
    const encrypting = files.encrypt(source.size, source.read(), conversation);
    const { url, expiresAt } = await upload(encrypting, {
      calls: this.#calls,
      transfers: this.#transfers,
      timers,
      random: runtime.random,
      signal,
      progressed: (sent, of) => onProgress?.(sent, of),
    });
    const descriptor: FileDescriptor = {
      ...encrypting.sealed,
      name: fileNameFrom(name),
      type,
      ...(thumbnail && { thumbnail }),
      url: new URL(url, this.#origin).href,
      expiresAt,
      ...(engine !== FLOE_ENGINE && { engine }),
    };
    // Whoever gets it is told of a server's fault here, and not there.
    fileContent(descriptor);
    return descriptor;
  }

  #hooksOf({ engine = FLOE_ENGINE }: FileDescriptor): FileHooks {
    return this.#parts.services.engines.filesOf(engine);
  }

  async #reading(descriptor: FileDescriptor, { signal }: CallOptions): Promise<ReadSealed> {
    throwIfAborted(signal);
    const { services, runtime, timers } = this.#parts;
    const url = await addressAtOurServer(descriptor.url, this.#origin, () =>
      originsOf(services.http, this.#origin, signal),
    );
    const { random, now } = runtime;
    const parts = { transfers: this.#transfers, url, timers, random, now, signal };
    return (from, to) => sealedBytes(parts, descriptor, from, to);
  }
}

async function* told(
  pieces: AsyncIterable<Uint8Array>,
  of: number,
  onProgress: OnProgress,
): AsyncGenerator<Uint8Array, void, undefined> {
  let done = 0;
  for await (const piece of pieces) {
    yield piece;
    done += piece.length;
    onProgress(done, of);
  }
}
