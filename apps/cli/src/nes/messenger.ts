/** A user of NES with provider and broker: what `send`, `listen` and `chat` have in common. */
import { FolderStorage } from '@sealwire/client/node/folder-storage';
import { pause, platformTimers } from '@sealwire/client/runtime';
import { SealedStorage } from '@sealwire/client/sealed-storage';
import { NesError } from '@sealwire/nes/errors';
import { FRAME_BYTES } from '@sealwire/nes/frame';
import { parsePublicKey } from '@sealwire/nes/keys';
import { type OpenedMessage, openMessage, sealMessage } from '@sealwire/nes/message';
import { topicOf, type Username } from '@sealwire/nes/username';
import { CliError } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { printable } from '../printable.ts';
import { type Broker, connectBroker } from './broker.ts';
import { type NesAccount, type NesContext, openNesAccount, seenFolderOf } from './nes-account.ts';
import { ProviderClient } from './provider-client.ts';
import { SeenMessages } from './seen-messages.ts';

const ASK_AGAIN_MS = 5_000;
const CLIENT_ID_BYTES = 8;

/** Throws `CliError` (`usage`) where provider or its key are not set. */
export function providerOf({ me, settings }: NesAccount, { surroundings }: NesContext): ProviderClient {
  const { provider: url, providerKey, isGenuineProvider: isGenuine } = settings;
  if (url === undefined || providerKey === undefined)
    throw notSet(me, 'provider and its public key', '-p https://HOST -P FILE');
  const { fetch, now } = surroundings.runtime;
  return new ProviderClient({
    url,
    key: parsePublicKey(providerKey),
    isGenuine,
    fetch,
    now,
    signal: surroundings.interrupted,
  });
}

/** Opens what sending needs, runs `work`, and closes it. */
export async function withSender<T>(context: NesContext, work: (messenger: Messenger) => Promise<T>): Promise<T> {
  const account = await openNesAccount(context);
  // Another one than who listens has: the broker lets two of one id not be.
  const clientId = `nes-${Buffer.from(context.surroundings.runtime.random(CLIENT_ID_BYTES)).toString('hex')}`;
  return withBroker(context, account, { clientId, keepsSession: false }, undefined, work);
}

/** The same for who also reads: the only process of this user that does. Throws `ClientError` (`locked`). */
export async function withReader<T>(context: NesContext, work: (messenger: Messenger) => Promise<T>): Promise<T> {
  const { crypto, random } = context.surroundings.runtime;
  const account = await openNesAccount(context);
  const folder = FolderStorage.open(seenFolderOf(context.profile));
  const seen = await SeenMessages.load(new SealedStorage(folder, account.storageKey, crypto, random)).catch(
    async (error: unknown) => {
      await folder.close();
      throw error;
    },
  );
  try {
    return await withBroker(context, account, { clientId: account.clientId, keepsSession: true }, seen, work);
  } finally {
    await seen.close();
  }
}

async function withBroker<T>(
  context: NesContext,
  account: NesAccount,
  session: { readonly clientId: string; readonly keepsSession: boolean },
  seen: SeenMessages | undefined,
  work: (messenger: Messenger) => Promise<T>,
): Promise<T> {
  const provider = providerOf(account, context);
  const { broker: url } = account.settings;
  if (url === undefined) throw notSet(account.me, 'broker', '-b mqtt://HOST');
  const messenger: { current?: Messenger } = {};
  const note = (text: string) => (messenger.current?.output ?? context.output).note(text);
  const broker = connectBroker({ url, ...session, note });
  messenger.current = new Messenger(context, account, provider, broker, seen);
  try {
    return await work(messenger.current);
  } finally {
    await broker.close();
  }
}

function notSet(me: Username, what: string, options: string): CliError {
  return new CliError('usage', `${me} has no ${what} yet: run \`sealwire nes config -u ${me} ${options}\``);
}

export class Messenger {
  /** May be another one while a line is being typed. */
  output: Output;
  readonly #context: NesContext;
  readonly #account: NesAccount;
  readonly #provider: ProviderClient;
  readonly #broker: Broker;
  readonly #seen: SeenMessages | undefined;

  constructor(
    context: NesContext,
    account: NesAccount,
    provider: ProviderClient,
    broker: Broker,
    seen: SeenMessages | undefined,
  ) {
    this.output = context.output;
    this.#context = context;
    this.#account = account;
    this.#provider = provider;
    this.#broker = broker;
    this.#seen = seen;
  }

  get me(): Username {
    return this.#account.me;
  }

  /** Resolves when the broker has it. Throws `NesError`, `CliError`. */
  async send(to: Username, message: string): Promise<void> {
    const { random, now } = this.#context.surroundings.runtime;
    const { me, signKeys } = this.#account;
    const { messageKey } = await this.#provider.keysOf(to);
    const signKey = signKeys.privateKey;
    const frame = sealMessage({ from: me, to, timestamp: now(), message }, { messageKey, signKey, random });
    if (frame.length > FRAME_BYTES) throw new CliError('usage', 'the text is longer than a message may be');
    await this.#broker.publish(topicOf(to), frame);
    await this.output.data({ event: 'nes-published', from: me, to }, `published for ${to}`);
  }

  /** Shows what comes until `signal` fires; `onShown` after each message. Throws `CliError`. */
  async read(signal: AbortSignal, onShown: () => void = () => {}): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const subscribed = this.#broker.subscribe(topicOf(this.me), async (payload, isRepeat) => {
      // It comes to who listens next.
      if (signal.aborted) return false;
      const message = await this.#open(payload, isRepeat, signal);
      if (typeof message !== 'object') return message === 'refused';
      await show(this.output, message);
      await this.#seen!.remember(message.from);
      onShown();
      return true;
    });
    const listening = subscribed.then(() => {
      this.output.note(`listening as ${this.me}: the broker keeps what comes when nobody listens`);
      return stopped;
    });
    await Promise.race([listening, stopped, this.#broker.failed]);
  }

  /** `refused` has been told; `unasked`: the provider could not be asked before `signal` fired. */
  async #open(
    payload: Uint8Array,
    isRepeat: boolean,
    signal: AbortSignal,
  ): Promise<OpenedMessage | 'refused' | 'unasked'> {
    const { timers = platformTimers, random, now } = this.#context.surroundings.runtime;
    for (;;) {
      try {
        return await openMessage(payload, {
          me: this.me,
          messageKey: this.#account.messageKeys.privateKey,
          signKeyOf: async (from) => (await this.#provider.keysOf(from)).signKey,
          replays: this.#seen!.memory,
          random,
          now: now(),
        });
      } catch (error) {
        if (error instanceof NesError) return this.#refuse(error, isRepeat);
        if (signal.aborted) return 'unasked';
        if (!(error instanceof CliError && error.ending === 'offline')) throw error;
        this.output.note(`${error.message}: a message waits for it`);
        await pause(timers, ASK_AGAIN_MS, signal);
        if (signal.aborted) return 'unasked';
      }
    }
  }

  async #refuse({ code, message }: NesError, isRepeat: boolean): Promise<'refused'> {
    // The broker did not hear that it was shown.
    if (code === 'replayed' && isRepeat) return 'refused';
    if (this.output.json) await this.output.data({ event: 'nes-refused', code, text: message }, '');
    else this.output.warn(`a message was refused: ${message}`);
    return 'refused';
  }
}

async function show(output: Output, { from, to, timestamp, message, isFarInTime }: OpenedMessage): Promise<void> {
  const record = { event: 'nes-message', from, to, text: message, sentAt: timestamp, isFarInTime };
  const written = new Date(timestamp);
  const when = Number.isNaN(written.getTime()) ? 'at no time that there is' : `on ${written.toISOString()}`;
  await output.data(record, `${from}${isFarInTime ? ` (written ${when})` : ''}: ${printable(message, 2)}`);
}
