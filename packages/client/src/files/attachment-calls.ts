/** `/v1/attachments` of our server: docs/spec/http.md section 4. */
import { AttachmentAnswer } from '@sealwire/wire/http';
import type { z } from 'zod';
import type { AccessTokens } from '../connection/access-tokens.ts';
import type { Call, HttpCalls } from '../connection/http-calls.ts';

export type Attachment = z.output<typeof AttachmentAnswer>;

export interface AttachmentCallsParts {
  readonly http: HttpCalls;
  readonly tokens: AccessTokens;
  /** Of the API. */
  readonly apiPath: string;
}

export class AttachmentCalls {
  readonly #parts: AttachmentCallsParts;
  readonly #path: string;

  constructor(parts: AttachmentCallsParts) {
    this.#parts = parts;
    this.#path = `${parts.apiPath}/attachments`;
  }

  /**
   * `key`: drawn for this upload; with the same one it is the same upload, though an answer was lost. Throws `limit-reached`,
   * `payload-too-large`, `storage-full`, `too-many-requests`, and what every call throws.
   */
  begin(bytes: number, key: string, signal: AbortSignal | undefined): Promise<Attachment> {
    const headers = { 'idempotency-key': key };
    return this.#json({ method: 'POST', path: this.#path, body: { bytes }, headers, repeatable: true, signal });
  }

  /** With the parts that are missing. */
  show(id: string, signal: AbortSignal | undefined): Promise<Attachment> {
    return this.#json({ method: 'GET', path: this.#pathOf(id), signal });
  }

  /** Throws `upload-incomplete`. */
  complete(id: string, signal: AbortSignal | undefined): Promise<Attachment> {
    return this.#json({ method: 'POST', path: `${this.#pathOf(id)}/complete`, repeatable: true, signal });
  }

  async remove(id: string): Promise<void> {
    const { http, tokens } = this.#parts;
    await tokens.authorized((token) => http.bytes({ method: 'DELETE', path: this.#pathOf(id), token }));
  }

  #json(call: Call): Promise<Attachment> {
    const { http, tokens } = this.#parts;
    return tokens.authorized((token) => http.json({ ...call, token, answerBytes: ANSWER_BYTES }, AttachmentAnswer));
  }

  #pathOf(id: string): string {
    return `${this.#path}/${encodeURIComponent(id)}`;
  }
}

/** A thousand parts with the URLs of an S3 server. */
const ANSWER_BYTES = 2 << 20;
