/** Fetches an encrypted file, or a part of it, and goes on where a link broke: docs/spec/files.md section 7. */
import type { FileDescriptor } from '@sealwire/wire/file-descriptor';
import { ClientError } from '../errors.ts';
import { Patience, type PatienceParts } from './patience.ts';
import type { Transfers } from './transfers.ts';

export interface DownloadParts extends PatienceParts {
  readonly transfers: Transfers;
  readonly now: () => number;
  /** Where our server keeps it. */
  readonly url: string;
}

/**
 * Bytes `from` up to `to` of the encrypted file. Throws `file-expired` when the server does not have it any more and its time is over,
 * `not-found`, `unreachable`, `bad-file` when the server has more of it or less.
 */
export async function* sealedBytes(
  { transfers, url, now, ...parts }: DownloadParts,
  { sealedSize: size, expiresAt }: FileDescriptor,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const patience = new Patience(parts, false);
  for (let at = from; at < to; ) {
    try {
      for await (const piece of transfers.read(url, { from: at, to, size }, parts.signal)) {
        at += piece.length;
        patience.progressed();
        yield piece;
      }
    } catch (error) {
      if (error instanceof ClientError && error.code === 'not-found' && expiresAt <= now()) throw expired(expiresAt);
      await patience.failed(error);
    }
  }
}

function expired(at: number): ClientError {
  const day = new Date(at).toISOString().slice(0, 10);
  return new ClientError('file-expired', `the server kept this file until ${day}: ask its sender to send it again`);
}
