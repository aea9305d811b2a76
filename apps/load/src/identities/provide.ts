/** Makes the accounts that a run lacks, within the limits and by the invitations of the server. */
import { Client } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import type { ClientRuntime } from '@sealwire/client/runtime';
import { type LightIdentity, makeLightAccount } from '@sealwire/light/account';
import { atOnce } from '@sealwire/light/at-once';
import { Refused } from '@sealwire/light/limits';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { LoadError } from '../errors.ts';
import { limitAdvice } from '../traffic/limit-advice.ts';
import type { SdkIdentity } from './identity.ts';
import type { IdentityFolder } from './identity-folder.ts';
import { KeptStorage } from './kept-storage.ts';

const AT_ONCE = 4;
/** What an account may have; its sockets then cost one registration for ten. */
export const DEVICES_OF_IDLE = 10;

/** What a run needs. */
export interface Need {
  /** Accounts of one device: people who write. */
  readonly people: number;
  /** Devices that only stay: ten an account. */
  readonly idle: number;
  /** Accounts whose keys are the SDK's. */
  readonly sdk: number;
}

export interface Provided {
  readonly people: readonly LightIdentity[];
  readonly idle: readonly LightIdentity[];
  readonly sdk: readonly SdkIdentity[];
  readonly made: number;
}

export interface ProvideTerms {
  readonly server: string;
  readonly runtime: ClientRuntime;
  readonly folder: IdentityFolder;
  readonly invitations: readonly string[];
  readonly note: (text: string) => void;
  /** Each text once. */
  readonly warn: (text: string) => void;
  /** Of each account that is made, ms. */
  readonly made: (ms: number) => void;
  readonly now: () => number;
}

/** Rejects with a `LoadError` that names the setting in the way. */
export async function provide(need: Need, terms: ProvideTerms): Promise<Provided> {
  const { folder, note, warn } = terms;
  const codes = [...terms.invitations];
  const people = folder.accounts(1).map(([device]) => device!);
  const idle = folder.accounts(DEVICES_OF_IDLE);
  const sdk = folder.sdkAccounts();
  const missing = {
    people: Math.max(0, need.people - people.length),
    idle: Math.max(0, Math.ceil(need.idle / DEVICES_OF_IDLE) - idle.length),
    sdk: Math.max(0, need.sdk - sdk.length),
  };
  const made = missing.people + missing.idle + missing.sdk;
  if (made > 0) note(`makes ${made} accounts; they are kept in ${folder.path}`);
  const makeAll = (count: number, make: (name: string, code: string | undefined) => Promise<void>) =>
    atOnce([...Array(count).keys()], AT_ONCE, () => makeOne(terms, codes, make));
  const light = (devices: number, take: (account: LightIdentity[]) => void) => async (name: string, code?: string) => {
    const waits = (why: Refused) => warn(limitAdvice(why));
    const account = await makeLightAccount({ ...terms, waits }, name, devices, code);
    folder.keep(account);
    take(account);
  };
  await makeAll(
    missing.people,
    light(1, ([device]) => people.push(device!)),
  );
  await makeAll(
    missing.idle,
    light(DEVICES_OF_IDLE, (account) => idle.push(account)),
  );
  await makeAll(missing.sdk, async (name, code) => {
    sdk.push(await makeSdkAccount(terms, name, code));
  });
  return {
    people: people.slice(0, need.people),
    idle: idle.flat().slice(0, need.idle),
    sdk: sdk.slice(0, need.sdk),
    made,
  };
}

async function makeSdkAccount(
  { server, runtime, folder }: ProvideTerms,
  name: string,
  invitation: string | undefined,
): Promise<SdkIdentity> {
  const keysFile = folder.keysFileOf(name);
  const options = { storage: new KeptStorage(keysFile), runtime, server, name };
  const client = await Client.register({ ...options, ...(invitation === undefined ? {} : { invitation }) });
  await client.close();
  folder.keepSdk(client.device, name);
  return { id: client.device, keysFile };
}

/** With the first of `codes`; one that is used up is taken out. */
async function makeOne(
  { runtime, now, made }: ProvideTerms,
  codes: string[],
  make: (name: string, code: string | undefined) => Promise<void>,
): Promise<void> {
  for (;;) {
    const [code] = codes;
    const name = `load-${encodeBase64url(runtime.random(9))
      .replace(/[^a-z0-9]/gi, '0')
      .toLowerCase()}`;
    const began = now();
    try {
      await make(name, code);
      return made(now() - began);
    } catch (error) {
      if (code !== undefined && isInvitation(error)) {
        if (codes[0] === code) codes.shift();
        if (codes.length > 0) continue;
        throw new LoadError('usage', 'no invitation is good any more: more codes into --invitation-file', {
          cause: error,
        });
      }
      throw explained(error);
    }
  }
}

function isInvitation(error: unknown): boolean {
  if (error instanceof ClientError) return error.code.startsWith('invitation');
  return error instanceof Refused && /"code":"invitation/.test(error.message);
}

function explained(error: unknown): unknown {
  if (isInvitation(error))
    return new LoadError('usage', 'the server takes accounts by invitation: --invitation-file FILE, a code a line', {
      cause: error,
    });
  const limit =
    error instanceof ClientError ? error.code === 'too-many-requests' : error instanceof Refused && error.isLimit;
  if (limit)
    return new LoadError(
      'failure',
      'the server allows no more accounts from here for now: start it with ACCOUNTS_PER_ADDRESS=0 for the time of the test, or ask for fewer (those that were made are kept)',
      { cause: error },
    );
  return error;
}
