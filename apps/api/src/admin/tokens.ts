/**
 * Who may administer over the network: tokens with a role and an end, made on the machine alone. 256 random bits each, of which a hash is
 * stored; taking one back counts from the next request on, on every node.
 */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import { Problem } from '@sealwire/service/problem';
import type { Store } from '@sealwire/store/port';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { z } from 'zod';
import { type Actor, ADMIN_ROLES, type AdminOperation, type AdminRole, operation } from './operation.ts';

const ID_BYTES = 8;
const SECRET_BYTES = 32;
const DAY_MS = 86_400_000;
const LONGEST_DAYS = 366;
/** More than anybody can oversee. */
const MOST = 200;
const TOKEN = /^swa_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;
const SCHEME = /^bearer /i;

interface TokenRecord {
  readonly name: string;
  readonly role: AdminRole;
  readonly hash: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface TokenDeps {
  readonly store: Pick<Store, 'operatorRecords'>;
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  readonly now: () => number;
}

/** Whose token an `Authorization` header shows. Throws a 401 `Problem`, the same for every way to be wrong. */
export async function tokenActor(deps: TokenDeps, authorization: string | undefined): Promise<Actor> {
  const shown = authorization !== undefined && SCHEME.test(authorization) ? authorization.slice('bearer '.length) : '';
  const [, id = '', secret = ''] = TOKEN.exec(shown) ?? [];
  const known = id === '' ? undefined : await findToken(deps, id);
  const hash = tokenHash(deps.crypto, id, secret);
  const isRight = deps.crypto.equal(hash, known ? decodeBase64url(known.hash) : new Uint8Array(hash.length));
  if (!known || !isRight || known.expiresAt <= deps.now())
    throw new Problem('unauthorized', { headers: { 'www-authenticate': 'Bearer' } });
  return { name: `${known.name} (${id})`, role: known.role };
}

export function tokenOperations(deps: TokenDeps): readonly AdminOperation[] {
  const { store, crypto, random, now } = deps;
  const name = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,31}$/i, 'letters, digits, ".", "_" and "-", at most 32');
  const id = z.string().regex(/^[0-9a-f]{16}$/, 'the 16 digits that `tokens list` shows');
  return [
    operation('tokens make', {
      needs: 'machine',
      changes: true,
      body: z.strictObject({ name, role: z.enum(ADMIN_ROLES), days: z.int().min(1).max(LONGEST_DAYS) }),
      about: (body) => body.name,
      async run({ name, role, days }) {
        const held = await store.operatorRecords.list('token', '', MOST);
        if (held.length >= MOST)
          throw new Problem('limit-reached', { detail: 'there are too many tokens: revoke some' });
        const id = Buffer.from(random(ID_BYTES)).toString('hex');
        const secret = encodeBase64url(random(SECRET_BYTES));
        const at = now();
        const hash = encodeBase64url(tokenHash(crypto, id, secret));
        const record: TokenRecord = { name, role, hash, createdAt: at, expiresAt: at + days * DAY_MS };
        await store.operatorRecords.replace('token', 0, { key: id, version: 1, text: JSON.stringify(record) });
        return { id, token: `swa_${id}_${secret}`, role, expiresAt: record.expiresAt };
      },
    }),
    operation('tokens list', {
      needs: 'machine',
      body: z.strictObject({}),
      async run() {
        const held = await store.operatorRecords.list('token', '', MOST);
        const tokens = held.map(({ key, text }) => {
          const { hash: _, ...shown } = JSON.parse(text) as TokenRecord;
          return { id: key, ...shown };
        });
        return { tokens };
      },
    }),
    operation('tokens revoke', {
      needs: 'machine',
      changes: true,
      body: z.strictObject({ id }),
      about: (body) => body.id,
      async run({ id }) {
        if (!(await findToken(deps, id))) throw new Problem('not-found', { detail: 'there is no token of that id' });
        // Nothing of it is left that could be shown: what it did is in the trail.
        await store.operatorRecords.remove('token', id);
        return { id };
      },
    }),
  ];
}

async function findToken({ store }: TokenDeps, id: string): Promise<TokenRecord | undefined> {
  const [found] = await store.operatorRecords.read('token', [id]);
  return found && (JSON.parse(found.text) as TokenRecord);
}

function tokenHash(crypto: CryptoProvider, id: string, secret: string): Uint8Array {
  return crypto.sha256(new TextEncoder().encode(`sealwire/admin-token/v1\0${id}\0${secret}`));
}
