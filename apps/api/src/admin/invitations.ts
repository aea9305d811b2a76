/** Orders about invitations. The code is shown once; what is listed is its number, which opens nothing. */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import { Problem } from '@sealwire/service/problem';
import type { Store } from '@sealwire/store/port';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { z } from 'zod';
import {
  createInvitation,
  INVITATIONS_PATH,
  INVITE_DAYS,
  INVITE_USES,
  invitationHash,
} from '../accounts/invitations.ts';
import { type AdminOperation, operation } from './operation.ts';

const DAY_MS = 86_400_000;
const NUMBER_BYTES = 8;
const PAGE = 100;

export interface InvitationsDeps {
  readonly store: Pick<Store, 'accounts' | 'operatorRecords'>;
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  readonly now: () => number;
}

interface InvitationRecord {
  readonly hash: string;
  readonly uses: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly by: string;
  readonly revokedAt?: number;
}

export function invitationOperations({ store, crypto, random, now }: InvitationsDeps): readonly AdminOperation[] {
  const { operatorRecords, accounts } = store;
  return [
    operation('invitations make', {
      needs: 'operator',
      changes: true,
      path: INVITATIONS_PATH,
      body: z.strictObject({ uses: z.int().min(1).max(INVITE_USES), days: z.int().min(1).max(INVITE_DAYS) }),
      async run({ uses, days }, actor) {
        const createdAt = now();
        const { code, expiresAt } = await createInvitation({
          store,
          crypto,
          random,
          now: createdAt,
          uses,
          lifeMs: days * DAY_MS,
        });
        const hash = invitationHash(crypto, code);
        const number = Buffer.from(hash.subarray(0, NUMBER_BYTES)).toString('hex');
        const record: InvitationRecord = { hash: encodeBase64url(hash), uses, createdAt, expiresAt, by: actor.name };
        await operatorRecords.replace('invitation', 0, { key: number, version: 1, text: JSON.stringify(record) });
        return { code, number, expiresAt };
      },
    }),
    operation('invitations list', {
      needs: 'viewer',
      body: z.strictObject({ after: z.string().max(64).optional(), limit: z.int().min(1).max(PAGE) }),
      async run({ after = '', limit }) {
        const page = await operatorRecords.list('invitation', after, limit);
        const invitations = await Promise.all(
          page.map(async ({ key: number, text }) => {
            const { hash, ...made } = JSON.parse(text) as InvitationRecord;
            const left = (await accounts.findInvitation(decodeBase64url(hash)))?.uses ?? 0;
            return { number, ...made, left, state: stateOf(made, left, now()) };
          }),
        );
        const last = page.at(-1)?.key;
        return { invitations, ...(page.length === limit && { next: last }) };
      },
    }),
    operation('invitations revoke', {
      needs: 'operator',
      changes: true,
      body: z.strictObject({ number: z.string().regex(/^[0-9a-f]{16}$/, 'the number that `invitations list` shows') }),
      about: (body) => body.number,
      async run({ number }) {
        const [found] = await operatorRecords.read('invitation', [number]);
        if (!found) throw new Problem('not-found', { detail: 'there is no invitation of that number' });
        const record = JSON.parse(found.text) as InvitationRecord;
        await accounts.addInvitation(decodeBase64url(record.hash), 0, record.expiresAt);
        const revoked: InvitationRecord = { ...record, revokedAt: record.revokedAt ?? now() };
        const version = found.version + (record.revokedAt === undefined ? 1 : 0);
        await operatorRecords.replace('invitation', found.version, {
          key: number,
          version,
          text: JSON.stringify(revoked),
        });
        return { number };
      },
    }),
  ];
}

function stateOf({ revokedAt, expiresAt }: Omit<InvitationRecord, 'hash'>, left: number, now: number) {
  if (revokedAt !== undefined) return 'revoked';
  if (expiresAt <= now) return 'ended';
  return left === 0 ? 'used up' : 'good';
}
