/** People, a key directory that hands each one-time prekey out once, a clock that stands still, and seeded randomness. */
import { nodeCrypto } from '@sealwire/crypto/node';
import type { CryptoProvider, SuiteName } from '@sealwire/crypto/port';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import type { DeviceId } from '@sealwire/wire/ids';
import { hex } from '../bytes/hex.ts';
import { type EncryptInput, Lime, type PeerBundle, type PublicPrekey, type Registration } from '../lime.ts';
import type { LimeSettings } from '../settings.ts';
import { MemoryLimeStore } from './memory-store.ts';

export const DAY = 24 * 60 * 60 * 1000;
export const crypto: CryptoProvider = nodeCrypto();

const utf8 = new TextEncoder();
export const bytes = (text: string): Uint8Array => utf8.encode(text);
export const text = (plaintext: Uint8Array): string => new TextDecoder().decode(plaintext);

/** What travels to one device. */
export interface Letter {
  readonly from: DeviceId;
  readonly user: string;
  readonly message: Uint8Array;
  readonly cipherMessage: Uint8Array;
}

export class World {
  now = Date.UTC(2026, 0, 1);
  readonly directory = new Map<DeviceId, { registration: Registration; oneTimePrekeys: PublicPrekey[] }>();
  readonly #settings: Partial<LimeSettings>;
  #seed = 1;

  constructor(
    settings: Partial<LimeSettings> = {},
    readonly provider: CryptoProvider = crypto,
  ) {
    this.#settings = { oneTimePrekeysAtRegistration: 3, oneTimePrekeysLow: 3, oneTimePrekeysBatch: 2, ...settings };
  }

  /** A registered and active device. */
  person(name: string, suite: SuiteName = 'c25519', settings: Partial<LimeSettings> = {}): Person {
    const device = `sip:${name}@example.org;gr=urn:uuid:${name}-1` as DeviceId;
    const person = new Person(this, device, { ...this.#settings, ...settings }, this.#seed++);
    this.register(device, person.lime.createDevice(device, suite));
    person.lime.activateDevice(device);
    return person;
  }

  register(device: DeviceId, registration: Registration): void {
    this.directory.set(device, { registration, oneTimePrekeys: [...registration.oneTimePrekeys] });
  }

  bundles(devices: readonly DeviceId[]): PeerBundle[] {
    return devices.map((device) => {
      const entry = this.directory.get(device);
      if (!entry) return { device };
      const { identityKey, signedPrekey } = entry.registration;
      return { device, bundle: { identityKey, signedPrekey, oneTimePrekey: entry.oneTimePrekeys.shift() } };
    });
  }

  heldOf(device: DeviceId): number[] {
    return this.directory.get(device)!.oneTimePrekeys.map(({ id }) => id);
  }
}

export class Person {
  readonly store = new MemoryLimeStore();
  readonly user: string;
  lime: Lime;
  #starts = 0;

  constructor(
    readonly world: World,
    readonly device: DeviceId,
    readonly settings: Partial<LimeSettings>,
    private readonly seed: number,
  ) {
    this.user = device.slice(0, device.indexOf(';'));
    this.lime = this.#open();
  }

  /** The process ends and starts again: nothing but the store is left, and other array identities too. */
  restart(): void {
    const records = this.store.keys('').map((key) => ({ key, value: this.store.load(key)!.slice() }));
    this.store.save(records);
    this.lime = this.#open();
  }

  /** To one person, direct form unless told otherwise. */
  write(to: Person, content: string, options: Partial<EncryptInput> = {}): Letter {
    const [letter] = this.writeToAll([to], content, { policy: 'DRMessage', recipientUser: to.user, ...options });
    return letter!;
  }

  /** One letter a person, in order. Fetches the bundles that are missing. */
  writeToAll(to: readonly Person[], content: string, options: Partial<EncryptInput> = {}): Letter[] {
    const recipients = to.map(({ device }) => device);
    const missing = this.lime.devicesWithoutSession(this.device, recipients);
    const user = (options.recipientUser ?? 'sip:group@example.org') as string;
    const sent = this.lime.encrypt(this.device, {
      recipients,
      plaintext: bytes(content),
      bundles: this.world.bundles(missing),
      ...options,
      recipientUser: user,
    });
    return sent.recipients.map(({ message, error, device }) => {
      if (!message) throw new Error(`no message for ${device}: ${error}`);
      return { from: this.device, user, message, cipherMessage: sent.cipherMessage };
    });
  }

  read({ from, user, message, cipherMessage }: Letter): string {
    const input = { sender: from, recipientUser: user, message, cipherMessage };
    return text(this.lime.decrypt(this.device, input));
  }

  get identityKey(): Uint8Array {
    return this.lime.publishedKeys(this.device).identityKey;
  }

  /** The next message to `peer` begins a new session. */
  renewSession(peer: Person): void {
    this.lime.retireSession(this.device, peer.device);
  }

  /** The code of the LimeError that reading ends in; reading without an error gives `read`. */
  refusal(letter: Letter): string {
    return codeOf(() => this.read(letter)) ?? 'read';
  }

  /** All records in hex: equal before and after means that nothing was changed. */
  state(): string {
    return this.store
      .keys('')
      .map((key) => `${key}=${hex(this.store.load(key)!)}`)
      .join('\n');
  }

  #open(): Lime {
    const { store, settings, world } = this;
    // Another stream after each start: repeating the old one would repeat keys.
    const seed = this.seed * 1000 + this.#starts++;
    return new Lime({ crypto: world.provider, store, random: seededRandom(seed), now: () => world.now, settings });
  }
}

/** The `code` of the error that `action` throws; undefined when it throws none. Anything but a LimeError goes on. */
export function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof Error && error.name === 'LimeError') return (error as Error & { code: string }).code;
    throw error;
  }
}

export function flipped(original: Uint8Array, at: number): Uint8Array {
  const copy = original.slice();
  copy[at]! ^= 1 << (at % 8);
  return copy;
}
