/** One key directory, one process of liblime clients, and as many devices of both kinds as a test asks for. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CurveName, SuiteName } from '@sealwire/crypto/port';
import { type DeviceId, parseDeviceId } from '@sealwire/wire/ids';
import { decodeRequest } from '@sealwire/wire/lime-server';
import { LimePeer } from '../../../../interop/lime-peer/lime-peer.mjs';
import type { Correspondent, Kind } from './correspondent.ts';
import { type KeyDirectory, startKeyDirectory } from './key-directory.ts';
import { LiblimeDevice } from './liblime-device.ts';
import { OwnDevice } from './own-device.ts';
import { SdkDevice } from './sdk-device.ts';

export interface DeviceOptions {
  readonly oneTimePrekeys?: number;
  /** For a device that poses as another one. */
  readonly device?: DeviceId;
  readonly directory?: KeyDirectory;
}

const ENOUGH_PREKEYS = 8;
/** The directory refuses, not we. */
const UNLIMITED = { oneTimePrekeys: 0xffff, devices: 0xffff };
/** liblime syncs its key store at every message, which takes milliseconds on a disk. */
const FAST = '/dev/shm';

export class World {
  #count = 0;
  /** Where the liblime device that is being registered belongs. */
  #registering: KeyDirectory | undefined;
  readonly #others: KeyDirectory[] = [];
  /** Of liblime clients. */
  readonly peer: LimePeer;

  private constructor(
    readonly directory: KeyDirectory,
    /** For key stores. */
    readonly folder: string,
    program: string,
  ) {
    this.peer = new LimePeer(program, { http: (from, body) => this.#register(parseDeviceId(from), body) });
  }

  static async open(program: string): Promise<World> {
    return new World(
      await startKeyDirectory(),
      await mkdtemp(join(existsSync(FAST) ? FAST : tmpdir(), 'sealwire-lime-peer-')),
      program,
    );
  }

  /** A registered device. */
  async device(kind: Kind, curve: CurveName, options: DeviceOptions = {}): Promise<Correspondent> {
    const { oneTimePrekeys = ENOUGH_PREKEYS, directory = this.directory } = options;
    const client = `${kind}-${this.#count++}`;
    const device = options.device ?? deviceNamed(client);
    if (kind === 'ours') return OwnDevice.register(directory, device, curve, oneTimePrekeys);
    const { folder } = this;
    this.#registering = directory;
    return LiblimeDevice.register(this.peer, directory, { folder, client, device, curve, oneTimePrekeys });
  }

  /**
   * Carries out a `create_user` whose request we post: the directory has to know the identity key that is in it, as from a manifest.
   * Everything later is up to the device's own HTTP settings.
   */
  async registerListed(command: Record<string, unknown>, directory = this.directory): Promise<void> {
    this.#registering = directory;
    await this.peer.must({ ...command, http: 'delegate' });
  }

  /** A registered device of the SDK. */
  sdkDevice(suites: readonly SuiteName[], now = () => Date.UTC(2026, 0, 1)): Promise<SdkDevice> {
    return SdkDevice.register(this.directory, deviceNamed(`sdk-${this.#count++}`), suites, now);
  }

  /** Another directory: one that lost everybody, or an impostor's. */
  async anotherDirectory(): Promise<KeyDirectory> {
    const directory = await startKeyDirectory();
    this.#others.push(directory);
    return directory;
  }

  async close(): Promise<void> {
    await this.peer.quit();
    for (const directory of [this.directory, ...this.#others]) await directory.close();
    await rm(this.folder, { recursive: true });
  }

  async #register(device: DeviceId, body: Uint8Array): Promise<Uint8Array> {
    const request = decodeRequest(body, UNLIMITED);
    if (request.kind !== 'registerUser') throw new Error(`unexpected ${request.kind}`);
    await this.#registering!.list(device, [request]);
    return this.#registering!.post(device, body);
  }
}

function deviceNamed(name: string): DeviceId {
  return parseDeviceId(`sip:${name}@example.org;gr=urn:uuid:${name}`);
}
