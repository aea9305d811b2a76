/** What a command works with, made from the surroundings and its options. */
import { Client } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import { FolderStorage } from '@sealwire/client/node/folder-storage';
import type { ClientRuntime, TraceEvent } from '@sealwire/client/runtime';
import { SealedStorage } from '@sealwire/client/sealed-storage';
import type { ClientStorage } from '@sealwire/client/storage';
import { decodeBase64url } from '@sealwire/wire/base64url';
import { type Configuration, loadConfiguration, type SettingName } from './configuration.ts';
import { CliError } from './exit-codes.ts';
import { foldersOf } from './folders.ts';
import { openKeyStore } from './key-store.ts';
import type { AccountOptions, CommonOptions } from './options.ts';
import type { Output } from './output.ts';
import { type PassphraseSource, readPassphrase } from './passphrase.ts';
import { chooseUser, type Profile, profileOf, requireProfile } from './profile.ts';
import { takeOrders } from './profile-socket.ts';
import type { Surroundings } from './surroundings.ts';

export interface Context {
  readonly surroundings: Surroundings;
  readonly output: Output;
}

export interface ProfileContext extends Context {
  readonly configuration: Configuration;
  readonly profile: Profile;
  readonly passphrase: PassphraseSource;
  readonly verbose: boolean;
}

/** What the keys of a profile are opened with. */
export type KeysContext = Pick<ProfileContext, keyof Context | 'profile' | 'passphrase'>;

export function configurationFor(
  { surroundings, output }: Context,
  options: CommonOptions & Partial<Record<SettingName, string>>,
): Configuration {
  const configuration = loadConfiguration(surroundings, options);
  for (const warning of configuration.warnings) output.warn(warning);
  return configuration;
}

/** Throws `CliError` (`usage`) when it is not clear whose keys are meant. */
export function profileFor(context: Context, options: AccountOptions & { readonly server?: string }): ProfileContext {
  if (options.passphraseFile !== undefined && options.passphraseFd !== undefined)
    throw new CliError('usage', 'give --passphrase-file or --passphrase-fd, not both');
  const configuration = configurationFor(context, {
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(options.user === undefined ? {} : { user: options.user }),
    ...(options.server === undefined ? {} : { server: options.server }),
    ...(options.passphraseFile === undefined ? {} : { passphrase_file: options.passphraseFile }),
    ...(options.deviceAuthority === undefined ? {} : { device_authority: options.deviceAuthority }),
  });
  const { profiles } = foldersOf(context.surroundings);
  const user = chooseUser(profiles, configuration.values.user.value, context.surroundings.osUser);
  return {
    ...context,
    configuration,
    profile: profileOf(profiles, user),
    passphrase: { fd: options.passphraseFd, file: configuration.values.passphrase_file.value },
    verbose: options.verbose === true,
  };
}

/** The keys are there, and their account is not: `wayOn` is what goes on where it stopped. */
export class UnfinishedError extends CliError {
  constructor(
    message: string,
    readonly wayOn: string,
  ) {
    super('usage', message);
  }
}

/** The command that goes on, by the SDK's code. */
const UNFINISHED: Readonly<Record<string, (user: string) => string>> = {
  'not-registered': (user) => `sealwire register -u ${user}`,
  'registration-pending': (user) => `sealwire register -u ${user}`,
  'join-pending': (user) => `sealwire devices join -u ${user} --secret-file FILE`,
};

/** The sealed store of existing keys; nobody else has it open. Throws `CliError`, `ClientError`. */
export async function openStorage(context: ProfileContext): Promise<ClientStorage> {
  const { crypto, random } = context.surroundings.runtime;
  const { folder, key } = await openKeys(context);
  return new SealedStorage(folder, key, crypto, random);
}

/** The folder of existing keys, locked, and the key that opens it. Throws `CliError`, `ClientError`. */
export async function openKeys(context: KeysContext): Promise<{ folder: FolderStorage; key: Uint8Array }> {
  const { profile, passphrase, surroundings, output } = context;
  const { crypto } = surroundings.runtime;
  requireProfile(profile);
  // The lock first: nobody should type a passphrase only to hear that the keys are in use.
  const folder = FolderStorage.open(profile.storeFolder);
  try {
    const ask = () => readPassphrase(passphrase, profile.user, surroundings, output);
    return { folder, key: await openKeyStore(profile.keysFile, ask, { crypto }) };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

/** Opens the keys and the SDK, runs `work`, and closes both whatever happens. */
export async function withClient<T>(
  context: ProfileContext,
  work: (client: Client) => Promise<T>,
  trace?: (event: TraceEvent) => void,
): Promise<T> {
  const storage = await openStorage(context);
  let client: Client;
  try {
    const { value: authority } = context.configuration.values.device_authority;
    const deviceAuthority =
      authority === undefined ? {} : { deviceAuthority: { publicKey: decodeBase64url(authority) } };
    client = await Client.open({ storage, runtime: tracing(context, trace), ...deviceAuthority });
  } catch (error) {
    await storage.close();
    throw unregistered(error, context.profile);
  }
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** With `--verbose` what the SDK traces is shown: codes and counts. */
function tracing({ surroundings, output, verbose }: ProfileContext, also?: (event: TraceEvent) => void): ClientRuntime {
  return {
    ...surroundings.runtime,
    trace: (event) => {
      const { name, ...details } = event;
      if (verbose) output.note(`${name} ${new URLSearchParams(details as Record<string, string>)}`);
      also?.(event);
    },
  };
}

/** As `withClient`, for a command that keeps the keys for long: other processes of this user send through it meanwhile. */
export async function withClientForOthers(
  context: ProfileContext,
  work: (client: Client) => Promise<void>,
  trace?: (event: TraceEvent) => void,
): Promise<void> {
  await withClient(
    context,
    async (client) => {
      const stop = await takeOrders(context.profile, client);
      try {
        await work(client);
      } finally {
        await stop();
      }
    },
    trace,
  );
}

function unregistered(error: unknown, { user }: Profile): unknown {
  if (!(error instanceof ClientError)) return error;
  const command = UNFINISHED[error.code]?.(user);
  if (command === undefined) return error;
  return new UnfinishedError(`the registration of ${user} is not finished: run \`${command}\` again`, `run ${command}`);
}
