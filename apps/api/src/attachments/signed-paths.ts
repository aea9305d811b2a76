/**
 * Paths by which files travel through this server, each good for one purpose and until a time: whoever has one needs no account, and nobody
 * can make one. Files on an S3 server are sent by its own signed URLs; reading begins here for both.
 *
 *   PUT /v1/files/ID/NUMBER?upload=HANDLE&size=BYTES&until=MS&signature=…    a part of an upload
 *   GET /v1/files/ID?until=MS&signature=…                                    the file
 *
 * signature = base64url(HMAC-SHA512(key, purpose 00 field 00 …)[0..32])
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { encodeBase64url } from '@sealwire/wire/base64url';

export const FILES_PREFIX = '/v1/files';
const MAC_BYTES = 32;
const KEY_INFO = new TextEncoder().encode('sealwire/file-url-key/v1');
const ID = /^[A-Za-z0-9_-]{1,64}$/;
const HANDLE = /^[A-Za-z0-9_.-]{1,1024}$/;
const NUMBER = /^[1-9]\d{0,14}$/;

export interface PartPath {
  readonly id: string;
  readonly handle: string;
  /** Of the whole. */
  readonly size: number;
  readonly number: number;
}

export interface SignedPaths {
  part(fields: PartPath, until: number): string;
  file(id: string, until: number): string;
  /** Undefined: not ours, altered, or ended. */
  openPart(target: string): PartPath | undefined;
  /** The id of the file. Undefined as above. */
  openFile(target: string): string | undefined;
}

/** One secret for an operator to keep: the token key never computes this MAC. */
export function fileUrlKey(crypto: CryptoProvider, tokenKey: Uint8Array): Uint8Array {
  return crypto.hkdfSha512(new Uint8Array(0), tokenKey, KEY_INFO, 32);
}

/** `basePath`: of the public origin, before every path that is made; those that are opened have lost it. */
export function createSignedPaths(deps: {
  readonly crypto: CryptoProvider;
  readonly key: Uint8Array;
  readonly now: () => number;
  readonly basePath: string;
}): SignedPaths {
  const { crypto, key, now, basePath } = deps;
  const utf8 = new TextEncoder();

  function signatureOf(fields: readonly (string | number)[]): string {
    const text = fields.map((field) => `${field}\0`).join('');
    return encodeBase64url(crypto.hmacSha512(key, utf8.encode(text)).subarray(0, MAC_BYTES));
  }

  function isGood(query: URLSearchParams, until: number, fields: readonly (string | number)[]): boolean {
    const given = utf8.encode(query.get('signature') ?? '');
    return crypto.equal(given, utf8.encode(signatureOf(fields))) && until > now();
  }

  return {
    part({ id, handle, size, number }, until) {
      const signature = signatureOf(['part', id, handle, size, number, until]);
      const query = new URLSearchParams({ upload: handle, size: String(size), until: String(until), signature });
      return `${basePath}${FILES_PREFIX}/${id}/${number}?${query}`;
    },

    file(id, until) {
      const query = new URLSearchParams({ until: String(until), signature: signatureOf(['file', id, until]) });
      return `${basePath}${FILES_PREFIX}/${id}?${query}`;
    },

    openPart(target) {
      const opened = parse(target);
      const [id, number] = opened?.names ?? [];
      if (opened?.names.length !== 2 || id === undefined || !NUMBER.test(number!)) return undefined;
      const { query, until } = opened;
      const [handle, size] = [query.get('upload') ?? '', query.get('size') ?? ''];
      if (!HANDLE.test(handle) || !NUMBER.test(size)) return undefined;
      const fields = { id, handle, size: Number(size), number: Number(number) };
      return isGood(query, until, ['part', id, handle, size, number!, until]) ? fields : undefined;
    },

    openFile(target) {
      const opened = parse(target);
      const [id] = opened?.names ?? [];
      if (opened?.names.length !== 1 || id === undefined) return undefined;
      return isGood(opened.query, opened.until, ['file', id, opened.until]) ? id : undefined;
    },
  };
}

interface ParsedTarget {
  /** What follows the prefix. */
  readonly names: readonly string[];
  readonly query: URLSearchParams;
  readonly until: number;
}

function parse(target: string): ParsedTarget | undefined {
  const [path = '', query = ''] = target.split('?', 2);
  if (!path.startsWith(`${FILES_PREFIX}/`)) return undefined;
  const names = path.slice(FILES_PREFIX.length + 1).split('/');
  const parameters = new URLSearchParams(query);
  const until = parameters.get('until') ?? '';
  if (!ID.test(names[0]!) || !NUMBER.test(until)) return undefined;
  return { names, query: parameters, until: Number(until) };
}
