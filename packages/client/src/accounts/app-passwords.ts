/** App passwords of this device's account: for its programs that know HTTP Digest and no tokens, such as Linphone. */
import { AppPasswordsAnswer, NewAppPasswordAnswer } from '@sealwire/wire/http';
import type { z } from 'zod';
import type { Services } from '../services.ts';

/** `password` is shown this once; `user` and `realm` are what the program asks for besides. */
export type NewAppPassword = Readonly<z.output<typeof NewAppPasswordAnswer>>;
/** `usedOn`: the day (UTC) of the last use, `2026-11-21`; absent: never used. */
export type AppPasswordInfo = Readonly<z.output<typeof AppPasswordsAnswer>['appPasswords'][number]>;

/**
 * Throws `conflict` when there is one of that name: also when an earlier call made it and its answer got lost, so that nobody knows it;
 * it is then to be revoked. `limit-reached` beyond 20.
 */
export function makeAppPassword({ tokens, http, self }: Services, name: string): Promise<NewAppPassword> {
  const call = { method: 'POST', path: `${self.paths.api}/app-passwords`, body: { name } } as const;
  return tokens.authorized((token) => http.json({ ...call, token }, NewAppPasswordAnswer));
}

export async function listAppPasswords({ tokens, http, self }: Services): Promise<AppPasswordInfo[]> {
  const call = { method: 'GET', path: `${self.paths.api}/app-passwords` } as const;
  return (await tokens.authorized((token) => http.json({ ...call, token }, AppPasswordsAnswer))).appPasswords;
}

/** Throws `not-found` when there is no such one (any more). */
export async function revokeAppPassword({ tokens, http, self }: Services, id: string): Promise<void> {
  const call = { method: 'DELETE', path: `${self.paths.api}/app-passwords/${encodeURIComponent(id)}` } as const;
  await tokens.authorized((token) => http.bytes({ ...call, token }));
}
