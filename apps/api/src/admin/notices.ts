/** Orders about notices: a line of the operator that every connected program shows as the server's, never as a person's. */
import type { RandomBytes } from '@sealwire/crypto/port';
import type { Announcer } from '@sealwire/service/announce';
import { Problem } from '@sealwire/service/problem';
import { NOTICES_AT_ONCE, type Notice, readNotices } from '@sealwire/store/operator';
import type { Store } from '@sealwire/store/port';
import { z } from 'zod';
import { type AdminOperation, operation } from './operation.ts';

const HOUR_MS = 3_600_000;
const ID_BYTES = 8;
/** Letters of every kind, and no control character but a line end. */
const TEXT = /^[^\p{Cc}\p{Cf}]+(?:\n[^\p{Cc}\p{Cf}]*)*$/u;

export interface NoticeDeps {
  readonly store: Pick<Store, 'operatorRecords'>;
  readonly announcer: Announcer;
  readonly random: RandomBytes;
  readonly now: () => number;
}

export function noticeOperations(deps: NoticeDeps): readonly AdminOperation[] {
  const { store, announcer, now } = deps;
  return [
    operation('notices send', {
      needs: 'operator',
      changes: true,
      body: z.strictObject({
        text: z.string().min(1).max(1_000).regex(TEXT, 'text without control characters'),
        hours: z.int().min(1).max(720),
      }),
      run: ({ text, hours }) => sendNotice(deps, text, hours * HOUR_MS),
    }),
    operation('notices list', {
      needs: 'viewer',
      body: z.strictObject({}),
      run: async () => ({ notices: await readNotices(store, now()) }),
    }),
    operation('notices remove', {
      needs: 'operator',
      changes: true,
      body: z.strictObject({ id: z.string().regex(/^[0-9a-f]{16}$/, 'the id that `notices list` shows') }),
      about: (body) => body.id,
      async run({ id }) {
        await store.operatorRecords.remove('notice', id);
        await announcer.noticesChanged();
        return { id };
      },
    }),
  ];
}

/** To all who are connected, and who connect until it ends. Throws a `limit-reached` `Problem` while too many have not ended. */
export async function sendNotice(deps: NoticeDeps, text: string, lifeMs: number): Promise<Notice> {
  const { store, announcer, random } = deps;
  const at = deps.now();
  await removeEnded(deps, at);
  const id = Buffer.from(random(ID_BYTES)).toString('hex');
  const notice: Notice = { id, text, at, until: at + lifeMs };
  await store.operatorRecords.replace('notice', 0, { key: id, version: 1, text: JSON.stringify(notice) });
  await announcer.noticesChanged();
  return notice;
}

async function removeEnded({ store }: NoticeDeps, now: number): Promise<void> {
  const held = await store.operatorRecords.list('notice', '', NOTICES_AT_ONCE);
  const ended = held.filter(({ text }) => (JSON.parse(text) as Notice).until <= now);
  for (const { key } of ended) await store.operatorRecords.remove('notice', key);
  if (held.length - ended.length >= NOTICES_AT_ONCE)
    throw new Problem('limit-reached', { detail: `there are ${NOTICES_AT_ONCE} notices: remove one first` });
}
