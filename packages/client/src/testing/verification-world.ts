/**
 * People with devices who compare characters over a network that a test may hold, lose or change, and a directory that may lie. For tests:
 * everything but encryption is real.
 */

import { nodeCrypto } from '@sealwire/crypto/node';
import type { CryptoProvider } from '@sealwire/crypto/port';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { decodeContent } from '@sealwire/wire/envelope';
import { type AccountAddress, accountOf, type DeviceId, parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { manifestHash, noPreviousManifest } from '@sealwire/wire/manifest';
import { decodeVerification, encodeVerification, type VerificationMessage } from '@sealwire/wire/verification';
import { signManifest } from '../accounts/manifest-draft.ts';
import { PeerBook } from '../accounts/peer-book.ts';
import { lowestTrust } from '../accounts/peer-record.ts';
import type { HttpCalls } from '../connection/http-calls.ts';
import type { DirectMessage, DirectOutcome } from '../messages/direct-sender.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { ClientVerification, type VerificationState } from '../verification/client-verification.ts';
import { Dialogues } from '../verification/dialogues.ts';
import { Verdicts } from '../verification/verdicts.ts';
import { FakeTime, settle } from './fake-time.ts';

const crypto: CryptoProvider = nodeCrypto();

/** As the directory answers it. */
export interface Listed {
  readonly address: AccountAddress;
  readonly accountKey: Uint8Array;
  readonly version: number;
  readonly manifest: Uint8Array;
  readonly signature: Uint8Array;
}

/** An account that signs lists of its devices. */
export class Account {
  readonly address: AccountAddress;
  readonly seed: Uint8Array;
  readonly lists: Listed[] = [];

  constructor(
    readonly name: string,
    seed: string = name,
  ) {
    this.address = parseAccountAddress(`sip:${name}@example.org`);
    this.seed = crypto.sha256(new TextEncoder().encode(seed));
  }

  get newest(): Listed {
    return this.lists.at(-1)!;
  }

  device(number: number): DeviceId {
    return parseDeviceId(`${this.address};gr=urn:uuid:${number}`);
  }

  /** The next list. `salt`: another one of the same devices. A phone (9) is a LIME device of somebody else. */
  publish(numbers: readonly number[], salt = 0): Listed {
    const version = this.lists.length + 1;
    const previous = this.lists.length > 0 ? manifestHash(crypto, this.newest.manifest) : noPreviousManifest();
    const key = (what: string, number: number) =>
      crypto.ed25519.publicKey(crypto.sha256(new TextEncoder().encode(`${what} ${this.name} ${number}`)));
    const devices = numbers.map((number) => ({
      id: this.device(number),
      identities: [{ suite: 'c25519' as const, identityKey: key('identity', number) }],
      loginKey: number === 9 ? new Uint8Array(0) : key('login', number),
      addedAt: 1,
    }));
    const { address } = this;
    const signed = signManifest(crypto, this.seed, { address, version, previous, issuedAt: version + salt, devices });
    const accountKey = crypto.ed25519.publicKey(this.seed);
    const listed = { address, accountKey, version, manifest: signed.bytes, signature: signed.signature };
    this.lists.push(listed);
    return listed;
  }
}

export class VerifyingDevice {
  readonly dialogues: Dialogues;
  readonly verification: ClientVerification;
  /** Each change: step, and characters or reason. */
  readonly told: VerificationState[] = [];
  /** What it sees of an account, where that is not the truth. */
  readonly lies = new Map<AccountAddress, Listed>();
  online = true;

  constructor(
    readonly world: VerificationWorld,
    readonly id: DeviceId,
    readonly ledger: Ledger,
    readonly book: PeerBook,
    verdicts: Verdicts,
  ) {
    const { time } = world;
    const random = seededRandom(id);
    const send = (message: DirectMessage) => world.send(this, message);
    const common = { ledger, book, verdicts, crypto, me: id, now: time.now };
    this.dialogues = new Dialogues({ ...common, random, timers: time, send, broken: () => undefined });
    const addressOf = (name: string) => world.account(name).address;
    this.verification = new ClientVerification({ ...common, dialogues: this.dialogues, own: accountOf(id), addressOf });
    this.verification.onChange((state) => this.told.push(state));
  }

  /** The comparison that it takes part in. */
  get current(): VerificationState {
    return this.verification.list()[0] ?? this.told.at(-1)!;
  }

  trustIn(name: string) {
    const peer = this.book.find(this.world.account(name).address);
    return peer && lowestTrust(peer);
  }
}

export class VerificationWorld {
  readonly time = new FakeTime();
  readonly #accounts = new Map<string, Account>();
  readonly #devices = new Map<DeviceId, VerifyingDevice>();
  /** What becomes of a word; undefined: it is lost. */
  tamper: (message: VerificationMessage, from: DeviceId, to: DeviceId) => VerificationMessage | undefined = (same) =>
    same;

  account(name: string): Account {
    const account = this.#accounts.get(name) ?? new Account(name);
    this.#accounts.set(name, account);
    return account;
  }

  /** Devices of an account, in its first list. */
  async devices(name: string, ...numbers: number[]): Promise<VerifyingDevice[]> {
    const account = this.account(name);
    account.publish(numbers);
    return Promise.all(numbers.map((number) => this.device(account, number)));
  }

  async device(account: Account, number: number): Promise<VerifyingDevice> {
    const ledger = await Ledger.open(new MemoryStorage());
    const id = account.device(number);
    const http = {
      json: async ({ path }: { path: string }) => {
        const name = path.split('/').at(-1)!;
        const truth = this.account(name).newest;
        return device.lies.get(truth.address) ?? truth;
      },
    } as unknown as HttpCalls;
    const verdicts = new Verdicts({ crypto, now: this.time.now });
    const book = new PeerBook({
      ledger,
      verdicts,
      http,
      directoryPath: '/directory',
      crypto,
      now: this.time.now,
      own: { address: account.address, publishAgain: async () => undefined },
      accountReset: () => () => undefined,
      deviceLeft: () => undefined,
      forgetDevice: () => undefined,
    });
    const device: VerifyingDevice = new VerifyingDevice(this, id, ledger, book, verdicts);
    this.#devices.set(id, device);
    return device;
  }

  /** Everybody knows everybody, as after a first message. */
  async meet(): Promise<void> {
    for (const { book } of this.#devices.values())
      for (const { address } of this.#accounts.values()) await book.refresh(address);
  }

  async send(from: VerifyingDevice, { to, devices, content }: DirectMessage): Promise<DirectOutcome> {
    await settle();
    if (!from.online) return 'later';
    const { type, body } = decodeContent(content);
    for (const id of devices) {
      const message = this.tamper(decodeVerification(body), from.id, id);
      const receiver = this.#devices.get(id);
      if (!message || !receiver) continue;
      const sender = accountOf(from.id);
      receiver.dialogues.received({
        kind: 'message',
        id: 'x',
        from: sender,
        device: from.id,
        conversation: sender === accountOf(id) ? to : sender,
        type,
        body: encodeVerification(message),
        sentAt: this.time.now(),
        acceptedAt: this.time.now(),
        trust: 'untrusted',
      });
    }
    return 'accepted';
  }

  /** Lets everything that is under way arrive. */
  async quiet(): Promise<void> {
    for (let turn = 0; turn < 12; turn++) await settle();
  }
}
