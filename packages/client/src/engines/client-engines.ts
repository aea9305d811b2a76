/** What an application does with engines: registers them, and chooses one for a conversation (docs/spec/engines.md section 2). */
import type { AccountAddress } from '@sealwire/wire/ids';
import { ClientError } from '../errors.ts';
import type { Ledger } from '../storage/ledger.ts';
import type { EngineFactory } from './engine.ts';
import { chooseEngine, chosenEngine } from './engine-choice.ts';
import type { Engines } from './engines.ts';

export class ClientEngines {
  readonly #engines: Engines;
  readonly #ledger: Ledger;
  readonly #addressOf: (name: string) => AccountAddress;

  constructor(engines: Engines, ledger: Ledger, addressOf: (name: string) => AccountAddress) {
    this.#engines = engines;
    this.#ledger = ledger;
    this.#addressOf = addressOf;
  }

  /** In the order in which they are offered messages. */
  get ids(): readonly string[] {
    return this.#engines.ids;
  }

  /**
   * One more engine, last in the order, until the client is closed. Throws `engine-refused` when it has keys in the device's manifest (those
   * are named when the device is made), when there is one of that name, or when it is not to be used here.
   */
  register(engine: EngineFactory): void {
    this.#engines.register(engine);
  }

  /** The engine of all that is sent in the conversation with `to`, a name or an address; undefined: the first that takes a message. */
  chosen(to: string): string | undefined {
    return chosenEngine(this.#ledger, this.#addressOf(to));
  }

  /**
   * Durable, for this device: the other side and our other devices choose for themselves. Undefined takes the choice back. Messages that
   * were encrypted before go as they are. Throws `no-engine` when it is not registered.
   */
  async choose(to: string, engine: string | undefined): Promise<void> {
    const conversation = this.#addressOf(to);
    if (engine !== undefined && !this.ids.includes(engine))
      throw new ClientError(
        'no-engine',
        `there is no engine ${engine} here, only ${this.ids.join(', ')}: register it first`,
      );
    await this.#ledger.commit((transaction) => chooseEngine(transaction, conversation, engine));
  }
}
