/** The engines of this device in their order, and the choice among them (docs/spec/engines.md sections 1 and 2). */
import type { SuiteName } from '@sealwire/crypto/port';
import { isEngineId } from '@sealwire/wire/envelope';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { DeviceIdentity } from '@sealwire/wire/manifest';
import { ClientError } from '../errors.ts';
import type { Records, Transaction } from '../storage/ledger.ts';
import type {
  DeviceKeys,
  EncryptionEngine,
  EngineContext,
  EngineFactory,
  EngineResult,
  EngineSetup,
  FileHooks,
  OutgoingDraft,
  ReceivedMessage,
  SealedMessage,
} from './engine.ts';
import { chosenEngine } from './engine-choice.ts';
import { ownContext, ownTransaction } from './own-records.ts';

const GATHERINGS = 3;
const NOT_ACCEPTABLE_HERE = 488;
const NOTHING_GATHERED: EngineResult<unknown> = { status: 'done', value: undefined };

export interface SealedByEngine extends SealedMessage {
  readonly engine: string;
}

/** The hooks for files, and whose they are. */
export interface EngineFiles {
  readonly engine: string;
  readonly files: FileHooks;
}

export class EngineError extends ClientError {
  constructor(
    code: string,
    text: string,
    /** The device whose identity key is not the manifest's. */
    readonly suspect: DeviceId | undefined,
  ) {
    super(code, text);
  }
}

export interface KeyedEngine {
  readonly id: string;
  readonly keys: DeviceKeys;
  readonly context: EngineContext;
}

export class Engines {
  readonly #setup: EngineSetup;
  readonly #engines: EncryptionEngine[] = [];

  /** Throws what a factory throws, and `engine-refused` for two engines of one name. */
  constructor(setup: EngineSetup, factories: readonly EngineFactory[]) {
    this.#setup = setup;
    for (const factory of factories) this.#add(factory(setup));
  }

  get ids(): string[] {
    return this.#engines.map(({ id }) => id);
  }

  /**
   * Whose hooks encrypt the files of a conversation: those of the engine that it chose, if that takes files; else, and for a file that is for
   * several conversations, those of the first engine that need not be chosen. Throws `no-engine`, `engine-missing`.
   */
  filesFor(conversation: AccountAddress | undefined, records: Records): EngineFiles {
    const chosen = conversation !== undefined && chosenEngine(records, conversation) !== undefined;
    const offered = chosen ? this.#offered(conversation, records) : [];
    const any = this.#engines.filter(({ mustBeChosen }) => !mustBeChosen);
    for (const { id, files } of [...offered, ...any])
      if (files && (conversation === undefined || (files.takes?.(conversation) ?? true))) return { engine: id, files };
    throw new ClientError('no-engine', 'none of the encryption engines here encrypts files');
  }

  /** Those that made a file. Throws `engine-missing`. */
  filesOf(engineId: string): FileHooks {
    const { files } = this.#find(engineId) ?? {};
    if (files) return files;
    throw new ClientError(
      'engine-missing',
      `made by the encryption engine ${engineId}, which is not here: register it first`,
    );
  }

  /** One more, last in the order, while the device is open. Throws `engine-refused`. */
  register(factory: EngineFactory): void {
    const engine = factory(this.#setup);
    if (engine.keys)
      throw refused(
        `the engine ${engine.id} has keys in the device's manifest: name it in \`engines\` from the first day on`,
      );
    this.#add(engine);
  }

  /** In the life of a device once, before anything else. */
  createKeys(suites: readonly SuiteName[], transaction: Transaction): DeviceIdentity[] {
    return this.#engines.flatMap(({ id, keys }) => keys?.createDevice(suites, ownTransaction(transaction, id)) ?? []);
  }

  /** Those that keep keys of this device, each with its own view of `context`. */
  keyed(context: EngineContext): KeyedEngine[] {
    return this.#engines.flatMap(({ id, keys }) => (keys ? [{ id, keys, context: ownContext(context, id) }] : []));
  }

  /**
   * Encrypts with the engine that the conversation chose, else with the first that takes the draft. `store` runs in the transaction that
   * changes the engine's state: what it writes becomes durable with it. Throws `EngineError`, `no-engine`, `engine-missing`, or what the
   * network throws.
   */
  async seal(
    draft: OutgoingDraft,
    context: EngineContext,
    store: (transaction: Transaction, sealed: SealedByEngine) => void,
  ): Promise<SealedByEngine> {
    for (const engine of this.#offered(draft.recipientUser, context.records)) {
      const sealed = await sealWith(engine, draft, context, store);
      if (sealed) return sealed;
    }
    throw new ClientError('no-engine', 'no encryption engine takes this message: it is not sent');
  }

  /** The plaintext, decrypted by the engine that the envelope names. Its state changes live in `transaction` only when it is `done`. */
  open(engineId: string, message: ReceivedMessage, transaction: Transaction): EngineResult<Uint8Array> {
    const engine = this.#find(engineId);
    if (!engine) return notHere('unknown-engine', 'made by an encryption engine that is not here');
    if (engine.mustBeChosen && chosenEngine(transaction, message.conversation) !== engineId)
      return notHere('engine-not-chosen', `made by the engine ${engineId}, which this conversation did not choose`);
    try {
      return transaction.nested((inner) => {
        const result = engine.processIncoming(message, ownTransaction(inner, engineId));
        if (result.status !== 'done') throw new Undone(result);
        return result;
      });
    } catch (error) {
      if (error instanceof Undone) return error.result;
      throw error;
    }
  }

  retireSession(device: DeviceId, transaction: Transaction): void {
    for (const { id, sessions } of this.#engines) sessions?.retireSession(device, ownTransaction(transaction, id));
  }

  forgetDevice(device: DeviceId, transaction: Transaction): void {
    for (const { id, sessions } of this.#engines) sessions?.forgetDevice(device, ownTransaction(transaction, id));
  }

  #add(engine: EncryptionEngine): void {
    if (!isEngineId(engine.id))
      throw refused(`${JSON.stringify(engine.id)} is no name of an engine: it looks like my-engine.2`);
    if (this.#find(engine.id)) throw refused(`there is an engine ${engine.id} already`);
    this.#engines.push(engine);
  }

  #find(id: string): EncryptionEngine | undefined {
    return this.#engines.find((engine) => engine.id === id);
  }

  #offered(conversation: AccountAddress, records: Records): readonly EncryptionEngine[] {
    const chosen = chosenEngine(records, conversation);
    if (chosen === undefined) return this.#engines.filter(({ mustBeChosen }) => !mustBeChosen);
    const engine = this.#find(chosen);
    if (engine) return [engine];
    const text = `the engine ${chosen}, which this conversation chose, is not here: the message waits until it is registered`;
    throw new ClientError('engine-missing', text);
  }
}

/** Undefined when the engine skips. */
async function sealWith(
  engine: EncryptionEngine,
  draft: OutgoingDraft,
  context: EngineContext,
  store: (transaction: Transaction, sealed: SealedByEngine) => void,
): Promise<SealedByEngine | undefined> {
  const own = ownContext(context, engine.id);
  for (let attempt = 1; ; attempt++) {
    const gathered = (await engine.gather?.(draft, own)) ?? NOTHING_GATHERED;
    if (gathered.status === 'skipped') return undefined;
    if (gathered.status === 'error') throw errorOf(gathered);
    try {
      return await context.commit((transaction) => {
        const result = engine.processOutgoing(draft, gathered.value, ownTransaction(transaction, engine.id));
        if (result.status !== 'done') throw new Undone(result);
        const sealed = { ...result.value, engine: engine.id };
        store(transaction, sealed);
        return sealed;
      });
    } catch (error) {
      if (!(error instanceof Undone)) throw error;
      if (error.result.status !== 'error') return undefined;
      const again = error.result.code === 'keys-missing' && attempt < GATHERINGS;
      if (!again) throw errorOf(error.result);
    }
  }
}

/** Carries a result out of a transaction, so that the transaction leaves no trace. */
class Undone extends Error {
  constructor(readonly result: Exclude<EngineResult<never>, { status: 'done' }>) {
    super('nothing is stored');
  }
}

function errorOf(result: { code: string; text: string; suspect?: DeviceId }): EngineError {
  return new EngineError(result.code, result.text, result.suspect);
}

function notHere(code: string, text: string): EngineResult<never> {
  return { status: 'error', code, text, statusCode: NOT_ACCEPTABLE_HERE };
}

function refused(text: string): ClientError {
  return new ClientError('engine-refused', text);
}
