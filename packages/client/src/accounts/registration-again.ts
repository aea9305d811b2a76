/**
 * An account that its server has lost, because it was restored from a backup older than the account: made again, with the same name,
 * keys and devices (docs/adr/0028). Version 1 of its manifest comes first, as when it was made; the others follow.
 */
import { encodeBase64url } from '@sealwire/wire/base64url';
import { AccountAnswer } from '@sealwire/wire/http';
import { ClientError } from '../errors.ts';
import type { ClientRuntime } from '../runtime.ts';
import type { Services } from '../services.ts';
import { administratorSeed } from './administrator.ts';
import { manifestBody, signBytes } from './manifest-draft.ts';
import type { SelfRecord } from './self-record.ts';

export interface RegistrationAgain {
  readonly runtime: ClientRuntime;
  readonly invitation: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Throws `already-registered` unless the server says that there is no such account; `account-lost` when this device
 * cannot make it, or it was deleted.
 */
export async function registerAgain(
  services: Services,
  { runtime, invitation, signal }: RegistrationAgain,
): Promise<void> {
  const { self, book, manifests, http, engines, context } = services;
  const { crypto } = runtime;
  const own = book.find(self.address);
  const isLost = await book.refresh(self.address).then(
    () => false,
    (error: unknown) => error instanceof ClientError && error.code === 'unknown-account',
  );
  if (!own || !isLost) throw alreadyRegistered(self);
  const first = manifests.bytesOf(1, own);
  if (!first)
    throw new ClientError(
      'account-lost',
      `the server does not know ${self.address}, and this device does not have its first list of devices: try with the oldest device`,
    );
  const seed = administratorSeed(self);
  const body = {
    name: self.name,
    accountKey: encodeBase64url(crypto.ed25519.publicKey(seed)),
    manifest: manifestBody(signBytes(crypto, seed, first)),
    ...(invitation === undefined ? {} : { invitation }),
  };
  const call = { method: 'POST', path: `${self.paths.api}/accounts`, body, signal, repeatable: true } as const;
  await http.json(call, AccountAnswer).catch((error: unknown) => throwIfTaken(self, error));
  await book.refresh(self.address);
  for (const engine of engines.keyed(context)) await engine.keys.checkKeys(engine.context);
}

/** Names of deleted accounts are not given out again, and nobody else has the keys. */
function throwIfTaken({ address }: SelfRecord, error: unknown): never {
  if (!(error instanceof ClientError && error.code === 'name-taken')) throw error;
  throw new ClientError(
    'account-lost',
    `the server does not know ${address}, and does not give its name out again: the account was deleted`,
    { cause: error },
  );
}

export function alreadyRegistered({ address }: SelfRecord): ClientError {
  return new ClientError('already-registered', `this storage belongs to ${address}: open it, or choose another one`);
}
