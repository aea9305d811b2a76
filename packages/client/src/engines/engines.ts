/** The engines of this device in their order, and the choice among them. */
import type { DeviceId } from '@sealwire/wire/ids';
import { ClientError } from '../errors.ts';
import type { Transaction } from '../storage/ledger.ts';
import type {
  EncryptionEngine,
  EngineContext,
  EngineResult,
  OutgoingDraft,
  ReceivedMessage,
  SealedMessage,
} from './engine.ts';

const GATHERINGS = 3;

export interface SealedByEngine extends SealedMessage {
  readonly engine: string;
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

export class Engines {
  readonly #engines: readonly EncryptionEngine[];

  constructor(engines: readonly EncryptionEngine[]) {
    this.#engines = engines;
  }

  /** Every engine, for what concerns all of them. */
  all(): readonly EncryptionEngine[] {
    return this.#engines;
  }

  /**
   * Encrypts with the first engine that takes the draft. `store` runs in the transaction that changes the engine's state: what it
   * writes becomes durable with it. Throws `EngineError`, `no-engine`, or what the network throws.
   */
  async seal(
    draft: OutgoingDraft,
    context: EngineContext,
    store: (transaction: Transaction, sealed: SealedByEngine) => void,
  ): Promise<SealedByEngine> {
    for (const engine of this.#engines) {
      const sealed = await sealWith(engine, draft, context, store);
      if (sealed) return sealed;
    }
    throw new ClientError('no-engine', `no encryption engine takes this message: it is not sent`);
  }

  /** The plaintext, decrypted by the engine that the envelope names. Its state changes live in `transaction` only when it is `done`. */
  open(engineId: string, message: ReceivedMessage, transaction: Transaction): EngineResult<Uint8Array> {
    const engine = this.#engines.find(({ id }) => id === engineId);
    if (!engine)
      return { status: 'error', code: 'unknown-engine', text: 'made by an encryption engine that is not here' };
    try {
      return transaction.nested((inner) => {
        const result = engine.processIncoming(message, inner);
        if (result.status !== 'done') throw new Undone(result);
        return result;
      });
    } catch (error) {
      if (error instanceof Undone) return error.result;
      throw error;
    }
  }

  retireSession(device: DeviceId, transaction: Transaction): void {
    for (const engine of this.#engines) engine.retireSession(device, transaction);
  }

  forgetDevice(device: DeviceId, transaction: Transaction): void {
    for (const engine of this.#engines) engine.forgetDevice(device, transaction);
  }
}

/** Undefined when the engine skips. */
async function sealWith(
  engine: EncryptionEngine,
  draft: OutgoingDraft,
  context: EngineContext,
  store: (transaction: Transaction, sealed: SealedByEngine) => void,
): Promise<SealedByEngine | undefined> {
  for (let attempt = 1; ; attempt++) {
    const gathered = await engine.gather(draft, context);
    if (gathered.status === 'skipped') return undefined;
    if (gathered.status === 'error') throw errorOf(gathered);
    try {
      return await context.commit((transaction) => {
        const result = engine.processOutgoing(draft, gathered.value, transaction);
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
