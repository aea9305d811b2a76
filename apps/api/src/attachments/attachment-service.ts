/**
 * Encrypted files: an account declares how large one is, sends its parts, and says that it is complete; from then on whoever knows its URL
 * may read it, until it ends or its owner deletes it. This server knows neither key nor name nor type, and the relay never carries a file.
 *
 * The record (`store.attachments`) comes after the upload at the place of the files has begun, and goes after the file has: what no record
 * knows is swept there.
 */
import { partsOf } from '@sealwire/blobs/parts';
import type { Blobs, Part, Upload } from '@sealwire/blobs/port';
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import { type DiskWatch, RETRY_UPLOADS_SECONDS } from '@sealwire/service/disk-watch';
import { Problem } from '@sealwire/service/problem';
import { readStandings } from '@sealwire/store/operator';
import { type Attachment, type Store, StoreError } from '@sealwire/store/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import type { AttachmentAnswer } from '@sealwire/wire/http';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { z } from 'zod';
import type { ApiSettings } from '../settings.ts';
import type { SignedPaths } from './signed-paths.ts';

/** Nobody guesses it; it is no secret of its own, since the URL to read it is signed. */
const ID_BYTES = 16;
const ID_CONTEXT = new TextEncoder().encode('sealwire/attachment-id/v1');
const DAY_MS = 86_400_000;

type Answer = z.output<typeof AttachmentAnswer>;

export interface AttachmentServiceDeps {
  readonly store: Pick<Store, 'attachments' | 'operatorRecords'>;
  /** Undefined: there are none. */
  readonly blobs: Blobs | undefined;
  readonly paths: SignedPaths;
  readonly disks?: Pick<DiskWatch, 'refusesUpload'> | undefined;
  readonly crypto: Pick<CryptoProvider, 'hmacSha512'>;
  readonly random: RandomBytes;
  readonly now: () => number;
  readonly settings: Pick<ApiSettings, 'ATTACHMENT_BYTES' | 'ATTACHMENT_BYTES_PER_ACCOUNT' | 'ATTACHMENT_LIFE_DAYS'>;
}

export class AttachmentService {
  constructor(private readonly deps: AttachmentServiceDeps) {}

  /** `key`: under the same one of the same device this is the same attachment, as long as there is one. */
  async begin(caller: DeviceId, bytes: number, key?: string): Promise<{ answer: Answer; begun: boolean }> {
    const { store, random, now, settings } = this.deps;
    const blobs = this.blobs();
    const most = settings.ATTACHMENT_BYTES;
    if (bytes > most) throw new Problem('payload-too-large', { detail: `a file has at most ${most} bytes here` });
    const address = accountOf(caller);
    const id = key === undefined ? encodeBase64url(random(ID_BYTES)) : this.idUnder(key, caller);
    const before = key === undefined ? undefined : await store.attachments.find(address, id);
    if (before) return { answer: await this.repeated(before, bytes), begun: false };
    if (this.deps.disks?.refusesUpload())
      throw new Problem('storage-full', { retryAfterSeconds: RETRY_UPLOADS_SECONDS });
    const [standing] = await readStandings(store, [address]);
    const room = {
      attachments: LIMITS.attachmentsPerAccount.value,
      bytes: settings.ATTACHMENT_BYTES_PER_ACCOUNT,
      ...standing?.files,
    };
    // Decided below, by the store; this spares the place of the files an upload that is sure to be refused.
    const used = await store.attachments.usage(address);
    if (used.attachments >= room.attachments || used.bytes + bytes > room.bytes) throw noRoom(room);
    const at = now();
    const handle = await blobs.begin(id, bytes, at);
    const attachment = { id, bytes, handle, expiresAt: at + LIMITS.uploadLifeMs.value };
    try {
      await store.attachments.add(address, attachment, room);
    } catch (error) {
      // It may have been added all the same: then a repeat goes on with it, and else the sweep finds it.
      if (error instanceof StoreError && error.retryable) throw error;
      // What cannot be given up now is found by the sweep.
      await blobs.abort(attachment).catch(() => {});
      // The same call at the same time was faster.
      const other = key === undefined ? undefined : await store.attachments.find(address, id);
      if (other) return { answer: await this.repeated(other, bytes), begun: false };
      throw error instanceof StoreError && error.kind === 'limit' ? noRoom(room, { cause: error }) : error;
    }
    return { answer: await this.answer({ ...attachment, isComplete: false }, partsOf(bytes)), begun: true };
  }

  /** Which parts are still to be sent, with new URLs: how an upload goes on after a lost link. */
  async show(caller: DeviceId, id: string): Promise<Answer> {
    return this.shown(await this.held(caller, id));
  }

  private async shown(attachment: Attachment): Promise<Answer> {
    if (attachment.isComplete) return this.answer(attachment, []);
    const there = new Set(await this.blobs().partsThere(attachment));
    return this.answer(
      attachment,
      partsOf(attachment.bytes).filter(({ number }) => !there.has(number)),
    );
  }

  /** The same again answers the same. */
  async complete(caller: DeviceId, id: string): Promise<Answer> {
    const { store, now, settings } = this.deps;
    const blobs = this.blobs();
    const attachment = await this.held(caller, id);
    if (attachment.isComplete) return this.answer(attachment, []);
    await blobs.complete(attachment);
    const expiresAt = now() + settings.ATTACHMENT_LIFE_DAYS * DAY_MS;
    const complete = await store.attachments.complete(accountOf(caller), id, expiresAt);
    if (complete) return this.answer(complete, []);
    // Deleted meanwhile.
    await blobs.delete(id);
    throw new Problem('not-found');
  }

  /** Somebody else's, one that is gone and one that never was are the same 404 (cases G01, I03). */
  async remove(caller: DeviceId, id: string): Promise<void> {
    const address = accountOf(caller);
    const attachment = await this.deps.store.attachments.find(address, id);
    if (!attachment) throw new Problem('not-found');
    await discard(this.deps.store, this.blobs(), address, attachment);
  }

  /** As good as random: whoever draws the key draws it so. */
  private idUnder(key: string, caller: DeviceId): string {
    const text = new TextEncoder().encode(`${caller}\0${key}`);
    return encodeBase64url(this.deps.crypto.hmacSha512(ID_CONTEXT, text).subarray(0, ID_BYTES));
  }

  private repeated(attachment: Attachment, bytes: number): Promise<Answer> {
    if (attachment.bytes === bytes && attachment.expiresAt > this.deps.now()) return this.shown(attachment);
    throw new Problem('conflict', { detail: 'another file was begun under this Idempotency-Key: draw a new one' });
  }

  private async held(caller: DeviceId, id: string): Promise<Attachment> {
    const { store, now } = this.deps;
    const attachment = await store.attachments.find(accountOf(caller), id);
    if (!attachment || attachment.expiresAt <= now()) throw new Problem('not-found');
    return attachment;
  }

  private async answer(attachment: Attachment, missing: readonly Part[]): Promise<Answer> {
    const { id, bytes, isComplete, expiresAt } = attachment;
    const parts = await Promise.all(
      missing.map(async (part) => ({ ...part, url: await this.partUrl(attachment, part) })),
    );
    const state = isComplete ? ('complete' as const) : ('uploading' as const);
    return { id, bytes, state, expiresAt, parts, ...(isComplete && { url: this.deps.paths.file(id, expiresAt) }) };
  }

  private async partUrl(attachment: Upload & { readonly expiresAt: number }, part: Part): Promise<string> {
    const { paths, now } = this.deps;
    const { way } = this.blobs();
    const { id, handle, bytes: size, expiresAt: until } = attachment;
    if (way.by === 'urls') return way.partUrl(attachment, part, { now: now(), until });
    return paths.part({ id, handle, size, number: part.number }, until);
  }

  private blobs(): Blobs {
    if (this.deps.blobs) return this.deps.blobs;
    throw new Problem('not-found', { detail: 'this server takes no attachments' });
  }
}

/**
 * Whatever there is of it: the file first and the record then. Of an upload the file once more, for its place may have completed it
 * all the same, when that was asked for at the same time: once the record is gone, whoever asked for it deletes it, too.
 */
export async function discard(
  store: Pick<Store, 'attachments'>,
  blobs: Blobs,
  address: AccountAddress,
  attachment: Attachment,
): Promise<void> {
  const { id, isComplete } = attachment;
  if (!isComplete) await blobs.abort(attachment);
  await blobs.delete(id);
  await store.attachments.remove(address, id);
  if (!isComplete) await blobs.delete(id);
}

function noRoom(room: { attachments: number; bytes: number }, options?: ErrorOptions): Problem {
  const detail = `an account has at most ${room.attachments} files and ${room.bytes} bytes here: delete some first`;
  return new Problem('limit-reached', { detail }, options);
}
