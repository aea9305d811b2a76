/**
 * Sends one encrypted file: declares its length, sends its parts, several at once, and says that it is complete (docs/spec/files.md
 * section 7). A part is encrypted once and kept until the server has it, however often it has to be sent: the same bytes cannot be made
 * again. Memory is a few parts, whatever the size.
 */
import { encodeBase64url } from '@sealwire/wire/base64url';
import type { EncryptingFile } from '../engines/engine.ts';
import { ClientError } from '../errors.ts';
import { pause } from '../runtime.ts';
import type { Attachment, AttachmentCalls } from './attachment-calls.ts';
import { cut } from './cut.ts';
import { Patience, type PatienceParts } from './patience.ts';
import type { Transfers } from './transfers.ts';

const IDEMPOTENCY_KEY_BYTES = 16;
const PARTS_AT_ONCE = 3;
/** Of parts on their way, unless one alone is larger. */
const BYTES_AT_ONCE = 24 << 20;
/** A server that wants larger parts wants a device's memory. Parts of a file beyond 32 GiB may have a 500th of it. */
const LARGEST_PART = 64 << 20;
const MOST_PARTS = 1_000;
/** How long the end of an upload that failed is waited for. */
const REMOVED_WITHIN_MS = 2_000;

export interface UploadParts extends PatienceParts {
  readonly calls: AttachmentCalls;
  readonly transfers: Transfers;
  readonly progressed: (sent: number, of: number) => void;
}

/** Where it is read, and until when. */
export interface Uploaded {
  readonly url: string;
  readonly expiresAt: number;
}

type Part = Attachment['parts'][number];

/** The server does not have the upload, or what was sent of it, any more: it begins anew. */
export class UploadLost extends ClientError {
  constructor(cause: unknown) {
    super('not-found', 'the server has lost the upload: send the file again', { cause });
  }
}

/** Throws `UploadLost`, `ClientError`; what is at the server is removed then. */
export async function upload(file: EncryptingFile, parts: UploadParts): Promise<Uploaded> {
  const { calls, signal } = parts;
  const key = encodeBase64url(parts.random(IDEMPOTENCY_KEY_BYTES));
  const begun = await new Patience(parts, false).until(() => calls.begin(file.sealedSize, key, signal));
  try {
    requireParts(begun, file.sealedSize);
    await sendParts(file, begun, parts);
    return await new Patience(parts, true).until(() => completed(begun.id, parts));
  } catch (error) {
    const removing = calls.remove(begun.id).catch(() => undefined);
    await Promise.race([removing, pause(parts.timers, REMOVED_WITHIN_MS)]);
    throw error;
  }
}

async function sendParts(
  file: EncryptingFile,
  { id, bytes, parts: list }: Attachment,
  parts: UploadParts,
): Promise<void> {
  const lengths = list.map((part) => part.bytes);
  const ending = new AbortController();
  const signal = parts.signal ? AbortSignal.any([parts.signal, ending.signal]) : ending.signal;
  const onTheWay = new Set<Promise<void>>();
  let atOnce = Math.min(PARTS_AT_ONCE, Math.max(1, Math.floor(BYTES_AT_ONCE / list[0]!.bytes)));
  let sent = 0;
  let next = 0;
  let turn = Promise.resolve();
  // On a link that broke, one after the other has the better chance.
  const inTurn = (work: () => Promise<void>) => {
    atOnce = 1;
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  };
  try {
    for await (const piece of cut(file.bytes(), lengths, tooLong)) {
      const part = list[next++]!;
      const sending = sendPart(id, part, piece as Uint8Array<ArrayBuffer>, { ...parts, signal }, inTurn).then(() => {
        onTheWay.delete(sending);
        sent += part.bytes;
        parts.progressed(sent, bytes);
      });
      onTheWay.add(sending);
      // Who awaits it may be busy with another one.
      sending.catch(() => undefined);
      while (onTheWay.size >= atOnce) await Promise.race(onTheWay);
    }
    if (next < list.length) throw tooLong();
    await Promise.all(onTheWay);
  } finally {
    ending.abort();
    await Promise.allSettled(onTheWay);
  }
}

/** `inTurn`: runs what is tried again, one part after the other. */
async function sendPart(
  id: string,
  part: Part,
  bytes: Uint8Array<ArrayBuffer>,
  { calls, transfers, ...parts }: UploadParts,
  inTurn: (work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const patience = new Patience(parts, true);
  async function put(url: string): Promise<boolean> {
    try {
      await transfers.put(url, bytes, parts.signal);
      return true;
    } catch (error) {
      if (error instanceof ClientError && error.code === 'not-found') throw new UploadLost(error);
      await patience.failed(error);
      return false;
    }
  }
  async function again(): Promise<void> {
    for (;;) {
      const attachment = await patience.until(() => kept(calls.show(id, parts.signal)));
      const missing = attachment.parts.find(({ number }) => number === part.number);
      // It may be there: only the answer was lost.
      if (!missing || (await put(missing.url))) return;
    }
  }
  if (!(await put(part.url))) await inTurn(again);
}

async function completed(id: string, { calls, signal }: UploadParts): Promise<Uploaded> {
  const { state, url, expiresAt } = await kept(calls.complete(id, signal));
  if (state === 'complete' && url !== undefined) return { url, expiresAt };
  throw new ClientError('bad-answer', 'the server does not say where the file is to be read');
}

async function kept(answer: Promise<Attachment>): Promise<Attachment> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ClientError && ['not-found', 'upload-incomplete'].includes(error.code))
      throw new UploadLost(error);
    throw error;
  }
}

/** The whole file, in order, in parts of which a device can hold some. */
function requireParts({ bytes, parts }: Attachment, sealedSize: number): void {
  let end = 0;
  const follow = parts.every(({ number, offset, bytes: length }, i) => {
    const fits = number === i + 1 && offset === end && length <= Math.max(LARGEST_PART, sealedSize / 500);
    end += length;
    return fits;
  });
  if (bytes === sealedSize && follow && end === sealedSize && parts.length <= MOST_PARTS) return;
  const text = 'the server asks for other parts than this file has: is it a Sealwire server?';
  throw new ClientError('bad-answer', text, { retryable: false });
}

function tooLong(): ClientError {
  return new ClientError('engine-failed', 'the encryption engine made another length of the file than it had said');
}
