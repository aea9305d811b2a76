/**
 * What a user of NES has on this machine, sealed as a LIME device's keys are (`../key-store.ts`):
 *
 *   ~/.local/share/sealwire-nes/alice/keys.json   how the passphrase opens the rest
 *                                    store/       keys and settings; held for a moment
 *                                    seen/        which messages were shown; held by who listens
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pause, platformTimers } from '@sealwire/client/runtime';
import { SealedStorage } from '@sealwire/client/sealed-storage';
import type { ClientStorage } from '@sealwire/client/storage';
import { type KeyPair, parsePrivateKey, privateKeyText } from '@sealwire/nes/keys';
import { parseUsername, type Username } from '@sealwire/nes/username';
import { z } from 'zod';
import { type Context, configurationFor, type KeysContext, openKeys } from '../context.ts';
import { makeStorage } from '../enter-account.ts';
import { CliError, endingOf } from '../exit-codes.ts';
import { foldersOf } from '../folders.ts';
import type { AccountOptions } from '../options.ts';
import { existingUsers, type Profile } from '../profile.ts';

const CLIENT_ID_BYTES = 8;
const LOCK_WAIT_MS = 200;
const LOCK_WAITS = 25;
const RECORD = 'nes';
const Record = z.strictObject({
  messageKey: z.string(),
  signKey: z.string(),
  clientId: z.string(),
  broker: z.string().optional(),
  provider: z.string().optional(),
  providerKey: z.string().optional(),
  isGenuineProvider: z.boolean(),
});

export interface NesSettings {
  /** A URL of mqtt.js; a password may stand in it. */
  readonly broker?: string | undefined;
  readonly provider?: string | undefined;
  /** PEM; pinned: its answers are believed and no others. */
  readonly providerKey?: string | undefined;
  /** It names neither user nor time in its answers. */
  readonly isGenuineProvider: boolean;
}

export interface NesAccount {
  readonly me: Username;
  readonly messageKeys: KeyPair;
  readonly signKeys: KeyPair;
  /** Of the session that the broker keeps for who listens. */
  readonly clientId: string;
  readonly settings: NesSettings;
  /** Opens `seen/`. */
  readonly storageKey: Uint8Array;
}

export interface NesContext extends KeysContext {
  readonly me: Username;
}

/** Throws `CliError` (`usage`) when it is not clear whose keys are meant, `NesError` for a name that is none. */
export function nesContextFor(context: Context, options: AccountOptions): NesContext {
  const { config, passphraseFile, passphraseFd: fd, user } = options;
  if (passphraseFile !== undefined && fd !== undefined)
    throw new CliError('usage', 'give --passphrase-file or --passphrase-fd, not both');
  const { values } = configurationFor(context, {
    ...(config === undefined ? {} : { config }),
    ...(passphraseFile === undefined ? {} : { passphrase_file: passphraseFile }),
  });
  const { nesProfiles } = foldersOf(context.surroundings);
  const me = parseUsername(user ?? onlyUser(nesProfiles));
  return {
    ...context,
    me,
    profile: profileOf(nesProfiles, me),
    passphrase: { fd, file: values.passphrase_file.value },
  };
}

export function seenFolderOf({ folder }: Profile): string {
  return join(folder, 'seen');
}

/** Makes and seals the keys of a user who has none here. Throws `CliError`. */
export async function createNesAccount(
  context: NesContext,
  keys: Pick<NesAccount, 'messageKeys' | 'signKeys'>,
  withPassphrase: boolean,
): Promise<void> {
  const { profile, surroundings } = context;
  const isNew = !existsSync(profile.keysFile);
  const storage = isNew ? await makeStorage(context, withPassphrase) : (await openRecords(context)).storage;
  try {
    // A header without keys is left by whoever was interrupted between the two.
    if ((await storage.load()).has(RECORD))
      throw new CliError('usage', `there are keys of ${profile.user} in ${profile.folder} already`);
    const clientId = `nes-${Buffer.from(surroundings.runtime.random(CLIENT_ID_BYTES)).toString('hex')}`;
    await write(storage, { ...keys, clientId, settings: { isGenuineProvider: false } });
  } finally {
    await storage.close();
  }
}

/** Throws `CliError`. */
export async function openNesAccount(context: NesContext): Promise<NesAccount> {
  return withRecord(context, async (account) => account);
}

/** Throws `CliError`. */
export async function changeSettings(context: NesContext, changes: Partial<NesSettings>): Promise<NesSettings> {
  return withRecord(context, async (account, storage) => {
    const settings = { ...account.settings, ...changes };
    await write(storage, { ...account, settings });
    return settings;
  });
}

async function withRecord<T>(
  context: NesContext,
  work: (account: NesAccount, storage: ClientStorage) => Promise<T>,
): Promise<T> {
  const { profile, me } = context;
  if (!existsSync(profile.keysFile)) throw noKeys(me);
  const { storage, storageKey } = await openRecords(context);
  try {
    const bytes = (await storage.load()).get(RECORD);
    if (!bytes) throw noKeys(me);
    const { messageKey, signKey, clientId, ...settings } = Record.parse(JSON.parse(new TextDecoder().decode(bytes)));
    const [messageKeys, signKeys] = [parsePrivateKey(messageKey), parsePrivateKey(signKey)];
    return await work({ me, messageKeys, signKeys, clientId, settings, storageKey }, storage);
  } finally {
    await storage.close();
  }
}

function noKeys(me: Username): CliError {
  return new CliError('usage', `there are no keys of ${me} here: run \`sealwire nes generate -u ${me}\``);
}

/** Every command has them for a moment only, so that another one is waited for. */
async function openRecords(context: NesContext): Promise<{ storage: ClientStorage; storageKey: Uint8Array }> {
  const { crypto, random, timers = platformTimers } = context.surroundings.runtime;
  const { interrupted } = context.surroundings;
  let opened: Awaited<ReturnType<typeof openKeys>> | undefined;
  for (let waits = 0; !opened; waits++)
    opened = await openKeys(context).catch(async (error: unknown) => {
      if (endingOf(error) !== 'locked' || waits === LOCK_WAITS || interrupted.aborted) throw error;
      await pause(timers, LOCK_WAIT_MS, interrupted);
      return undefined;
    });
  const { folder, key } = opened;
  return { storage: new SealedStorage(folder, key, crypto, random), storageKey: key };
}

async function write(
  storage: ClientStorage,
  { messageKeys, signKeys, clientId, settings }: Omit<NesAccount, 'me' | 'storageKey'>,
): Promise<void> {
  const record: z.output<typeof Record> = {
    messageKey: privateKeyText(messageKeys.privateKey),
    signKey: privateKeyText(signKeys.privateKey),
    clientId,
    ...settings,
  };
  await storage.write([{ key: RECORD, value: new TextEncoder().encode(JSON.stringify(record)) }]);
}

function onlyUser(profiles: string): string {
  const users = existingUsers(profiles);
  if (users.length === 1) return users[0]!;
  throw new CliError(
    'usage',
    users.length === 0
      ? 'there are no keys for NES here: run `sealwire nes generate -u NAME`'
      : `there are keys of ${users.join(', ')} here: say whose with -u, for example -u ${users[0]}`,
  );
}

function profileOf(profiles: string, user: Username): Profile {
  const folder = join(profiles, user);
  return { user, folder, keysFile: join(folder, 'keys.json'), storeFolder: join(folder, 'store') };
}
