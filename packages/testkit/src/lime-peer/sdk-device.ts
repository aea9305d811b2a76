/** A device of the SDK as far as its encryption goes: the engine of packages/client on both curves, without connection and storage. */
import type { EncryptionEngine, EngineContext, EngineDevice, EngineResult, KeysFinding } from '@sealwire/client/engine';
import { limeEngine } from '@sealwire/client/lime-engine';
import { nodeCrypto } from '@sealwire/crypto/node';
import type { SuiteName } from '@sealwire/crypto/port';
import { systemRandom } from '@sealwire/crypto/random';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { DeviceIdentity } from '@sealwire/wire/manifest';
import { bytesOf, contentOf, type Letter } from './correspondent.ts';
import type { KeyDirectory } from './key-directory.ts';

type Transaction = Parameters<EncryptionEngine['processOutgoing']>[2];

/** Every write is done at once, and stays when an error follows; what LIME itself refuses writes nothing. */
class MapRecords implements Transaction {
  readonly #map = new Map<string, Uint8Array>();
  get = (key: string) => this.#map.get(key);
  keys = (prefix: string) => [...this.#map.keys()].filter((key) => key.startsWith(prefix)).sort();
  set = (key: string, value: Uint8Array) => void this.#map.set(key, value);
  delete = (key: string) => void this.#map.delete(key);
  nested = <T>(work: (transaction: Transaction) => T): T => work(this);
}

export class SdkDevice implements EngineDevice {
  readonly user: AccountAddress;
  readonly identities: readonly DeviceIdentity[];
  readonly #engine: Required<EncryptionEngine>;
  readonly #records = new MapRecords();
  readonly #context: EngineContext;

  private constructor(
    readonly id: DeviceId,
    private directory: KeyDirectory,
    suites: readonly SuiteName[],
    now: () => number,
  ) {
    this.user = accountOf(id);
    const setup = { device: id, server: 'https://example.org', crypto: nodeCrypto(), random: systemRandom, now };
    this.#engine = limeEngine(setup) as Required<EncryptionEngine>;
    this.identities = this.#engine.keys.createDevice(suites, this.#records);
    this.#context = {
      records: this.#records,
      postToDirectory: (body) => this.directory.post(id, body),
      compareKeys: async () => [],
      commit: async (work) => work(this.#records),
    };
  }

  static async register(
    directory: KeyDirectory,
    id: DeviceId,
    suites: readonly SuiteName[],
    now: () => number,
  ): Promise<SdkDevice> {
    const made = new SdkDevice(id, directory, suites, now);
    await directory.list(id, made.identities);
    await made.#engine.keys.publish(made.#context);
    return made;
  }

  /** Letters in no particular order. Rejects with the engine's code. */
  async write(recipients: readonly EngineDevice[], user: AccountAddress, content: string): Promise<Letter[]> {
    const draft = { recipientUser: user, recipients, copies: [], plaintext: bytesOf(content) };
    const gathered = done(await this.#engine.gather(draft, this.#context));
    const { parts, cipherMessage } = done(this.#engine.processOutgoing(draft, gathered, this.#records));
    return parts.map(({ device, content: message }) => ({ from: this.id, to: device, user, message, cipherMessage }));
  }

  /** Rejects with the engine's code. */
  async read({ user, message, cipherMessage }: Letter, sender: EngineDevice): Promise<string> {
    const recipientUser = user as AccountAddress;
    const received = { sender, conversation: accountOf(sender.id), recipientUser, content: message, cipherMessage };
    return contentOf(done(this.#engine.processIncoming(received, this.#records)));
  }

  /** What the user does about a changed identity key. */
  forget(device: DeviceId): void {
    this.#engine.sessions.forgetDevice(device, this.#records);
  }

  /** Asks another directory from now on, which knows nothing of it; what the look after its keys finds there. */
  async moveTo(directory: KeyDirectory): Promise<readonly KeysFinding[]> {
    await directory.list(this.id, this.identities);
    this.directory = directory;
    return this.#engine.keys.checkKeys(this.#context);
  }

  upkeep(): Promise<void> {
    return this.#engine.keys.upkeep(this.#context);
  }
}

function done<T>(result: EngineResult<T>): T {
  if (result.status === 'done') return result.value;
  throw new Error(result.status === 'error' ? result.code : result.status);
}
