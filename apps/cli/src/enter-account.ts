/** The way into an account, for its first device and for every further one: keys are made and sealed before anybody hears of them. */
import { existsSync } from 'node:fs';
import { Client, type OpenOptions } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import { FolderStorage } from '@sealwire/client/node/folder-storage';
import { isOpenToOthers } from '@sealwire/client/node/private-mode';
import { SealedStorage } from '@sealwire/client/sealed-storage';
import type { ClientStorage } from '@sealwire/client/storage';
import type { CurveName } from '@sealwire/crypto/port';
import { type Command, Option } from 'commander';
import { type KeysContext, openStorage, type ProfileContext } from './context.ts';
import { CliError, endingOf } from './exit-codes.ts';
import { createKeyStore } from './key-store.ts';
import type { AccountOptions } from './options.ts';
import { readNewPassphrase } from './passphrase.ts';
import { makeProfileFolder, readNote, removeProfileFolder, writeNote } from './profile.ts';

export interface EnterOptions extends AccountOptions {
  readonly server?: string;
  readonly curve?: CurveName;
  readonly hybrid?: boolean;
  /** commander: false when `--no-passphrase` is given. */
  readonly passphrase: boolean;
}

/** What every way in has in common. */
export interface Entrance extends OpenOptions {
  readonly server: string;
  readonly name: string;
  readonly curves?: readonly CurveName[];
  readonly hybrid?: boolean;
}

/** The server's last word: this device was not let in, and the same request never will be. */
const REFUSED = [
  'name-taken',
  'invitation-invalid',
  'bad-request',
  'forbidden',
  'unknown-account',
  'wrong-account-secret',
  'reset-code-invalid',
  'bad-recovery-key',
];

export function entranceOptions(command: Command): Command {
  return command
    .option('-s, --server <origin>', 'the server (default: http://localhost:8080)')
    .addOption(new Option('--curve <name>', 'keys on this curve only (default: both)').choices(['c25519', 'c448']))
    .option('--hybrid', 'also keys that withstand a quantum computer (ML-KEM), preferred where both sides have them')
    .option('--no-passphrase', 'keep the keys unencrypted: whoever reads the files is you');
}

/** Makes (or takes up again) the keys of a profile and brings them in by `enter`. Throws `CliError`, `ClientError`. */
export async function enterAccount(
  context: ProfileContext,
  options: EnterOptions,
  enter: (entrance: Entrance) => Promise<Client>,
): Promise<void> {
  const { profile, surroundings, output, configuration } = context;
  const wanted = (configuration.values.server.value as string).replace(/\/$/, '');
  const isNew = !existsSync(profile.keysFile);
  const storage = isNew ? await makeStorage(context, options.passphrase) : await openStorage(context);
  let client: Client;
  try {
    client = await enter({
      server: wanted,
      name: profile.user,
      ...(options.curve === undefined ? {} : { curves: [options.curve] }),
      ...(options.hybrid ? { hybrid: true } : {}),
      storage,
      runtime: surroundings.runtime,
      signal: surroundings.interrupted,
    });
  } catch (error) {
    const code = error instanceof ClientError ? error.code : '';
    if (code === 'already-registered') throw await registeredAlready(context, storage);
    const hasKeys = await holdsAnything(storage);
    await storage.close();
    const isNothing = !hasKeys && (isNew || !readNote(profile));
    if (isNothing || (isNew && REFUSED.includes(code))) removeProfileFolder(profile);
    else output.note('the keys are kept: the same command goes on where this one stopped');
    throw error;
  }
  try {
    const { address, device, suites, server } = client;
    writeNote(profile, { server, address });
    await output.data(
      { event: 'registered', address, device, curves: suites, server },
      `${address} registered at ${server}`,
    );
    output.note(`this device: ${device}\nkeys: ${profile.folder}`);
  } finally {
    await client.close();
  }
}

/** Whether keys were made that the server may know of. One that cannot be read may hold some. */
async function holdsAnything(storage: ClientStorage): Promise<boolean> {
  return storage.load().then(
    (records) => records.size > 0,
    () => true,
  );
}

/** What to tell of keys whose account the server has, or has no more. Closes `storage`. */
async function registeredAlready({ profile, surroundings }: ProfileContext, storage: ClientStorage): Promise<Error> {
  const client = await Client.open({ storage, runtime: surroundings.runtime });
  try {
    await client.devices.list();
  } catch (error) {
    if (error instanceof ClientError && endingOf(error) === 'authentication') return error;
    // A server that is not to be reached changes nothing: the keys are there.
  } finally {
    await client.close();
  }
  return new CliError('usage', `${profile.user} is registered already, with keys in ${profile.folder}`);
}

/** A new store for the keys of a profile, sealed or not. Throws `CliError`. */
export async function makeStorage(context: KeysContext, withPassphrase: boolean): Promise<ClientStorage> {
  const { profile, surroundings, output, passphrase } = context;
  const { crypto, random } = surroundings.runtime;
  const tools = { crypto, random, parameters: surroundings.passphraseCost };
  const secret = withPassphrase ? await readNewPassphrase(passphrase, profile.user, surroundings, output) : undefined;
  if (!withPassphrase) output.warn('the keys will lie unencrypted on this machine');
  makeProfileFolder(profile);
  if (isOpenToOthers(profile.folder))
    output.warn(
      `${profile.folder} is open to other users, and its file system keeps no permissions: mount it with umask=077, or set XDG_DATA_HOME`,
    );
  const folder = FolderStorage.open(profile.storeFolder);
  try {
    return new SealedStorage(folder, await createKeyStore(profile.keysFile, secret, tools), crypto, random);
  } catch (error) {
    await folder.close();
    throw error;
  }
}
