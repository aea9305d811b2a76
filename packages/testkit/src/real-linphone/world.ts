/**
 * What a Linphone needs around it, on one curve: our servers as a process, a SIP registrar, a conference server (`focus`), and people, each
 * with an account of ours and as many Linphones as a test asks for. Everything is on the loopback.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@sealwire/client/client';
import type { EngineDevice, EngineFactory } from '@sealwire/client/engine';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import { nodeRuntime } from '@sealwire/client/node/runtime';
import type { CurveName } from '@sealwire/crypto/port';
import { type AccountAddress, type DeviceId, parseDeviceId } from '@sealwire/wire/ids';
import { Linphone, Registrar } from '../../../../interop/linphone/linphone.mjs';
import { ServerProcess } from '../faults/server-process.ts';

/** Of the app passwords; that of the SIP accounts would be the domain (docs/operations/linphone.md section 2). */
export const REALM = 'lime.example.org';
const PATIENCE_MS = 30_000;
/** Linphone syncs its stores at every message, which takes milliseconds on a disk. */
const FAST = '/dev/shm';

/** An account of ours with an app password for its Linphones. */
export interface Owner {
  readonly name: string;
  readonly address: AccountAddress;
  readonly password: string;
}

/** Made by the SDK. */
export interface Person extends Owner {
  readonly client: Client;
  readonly passwordId: string;
}

export interface PhoneOptions {
  /** Default: the person's. */
  readonly password?: string;
  /** The `gr` of its device id. Default: a new one. */
  readonly uuid?: string;
  /** Where another one left off. Default: nothing yet. */
  readonly folder?: string;
}

/** A room as its members know it. */
export interface Room {
  /** In commands and events. */
  readonly name: string;
  readonly address: string;
  /** What LIME binds messages to: the address without its `gr`. */
  readonly user: AccountAddress;
}

export class Phone {
  constructor(
    readonly device: DeviceId,
    readonly uuid: string,
    readonly folder: string,
    readonly linphone: Linphone,
  ) {}

  /** Resolves with the id of the message when the conference server has it. */
  says(room: Room, text: string): Promise<string> {
    return this.#send(room, text, 'Delivered');
  }

  /** Resolves when the message could be encrypted to nobody. */
  failsToSay(room: Room, text: string): Promise<string> {
    return this.#send(room, text, 'NotDelivered');
  }

  async #send(room: Room, text: string, state: string): Promise<string> {
    this.linphone.tell(`send ${room.name} ${text}`);
    const { id } = await this.linphone.next('sent', { state });
    return id as string;
  }
}

export class World {
  #count = 0;
  readonly #phones = new Set<Phone>();
  readonly #clients: Client[] = [];

  private constructor(
    readonly kit: string,
    readonly curve: CurveName,
    readonly folder: string,
    readonly server: ServerProcess,
    readonly registrar: Registrar,
    private readonly focus: Linphone,
  ) {}

  static async open(kit: string, curve: CurveName): Promise<World> {
    const folder = await mkdtemp(join(existsSync(FAST) ? FAST : tmpdir(), 'sealwire-linphone-'));
    const server = await ServerProcess.on(join(folder, 'server'), ['--domain', 'example.org', '--digest-realm', REALM]);
    const registrar = await Registrar.start(kit, join(folder, 'registrar'));
    await server.start();
    const focus = new Linphone(kit, {
      folder: join(folder, 'focus'),
      name: 'focus',
      uuid: uuidOf(0),
      sipPort: registrar.port,
      isFocus: true,
    });
    await focus.next('registration', { state: 'Ok' });
    return new World(kit, curve, folder, server, registrar, focus);
  }

  /** `name` with a number. `engines`: of its client. */
  async person(name: string, engines?: readonly EngineFactory[]): Promise<Person> {
    const numbered = `${name}${this.#next()}`;
    const options = {
      server: this.server.origin,
      name: numbered,
      storage: new MemoryStorage(),
      runtime: nodeRuntime(),
    };
    const client = await Client.register({ ...options, ...(engines && { engines }) });
    this.#clients.push(client);
    const { password, id } = await client.account.makeAppPassword('Linphone');
    return { name: numbered, address: client.address, client, password, passwordId: id };
  }

  /** Resolves when it is registered at the registrar, and its keys at the directory. */
  async phone(person: Person, options: PhoneOptions = {}): Promise<Phone> {
    const phone = await this.stranger(person, options);
    await this.identity(person, phone);
    return phone;
  }

  /** Resolves when it is registered at the registrar, whatever the directory says; the conference server knows it from then on. */
  async stranger({ name, address, password }: Owner, options: PhoneOptions = {}): Promise<Phone> {
    const number = this.#next();
    const { uuid = uuidOf(number), folder = join(this.folder, `phone${number}`) } = options;
    const lime = {
      server: `${this.server.origin}/lime`,
      curve: this.curve,
      realm: REALM,
      password: options.password ?? password,
    };
    const linphone = new Linphone(this.kit, { folder, name, uuid, sipPort: this.registrar.port, lime });
    const phone = new Phone(parseDeviceId(`${address};gr=urn:uuid:${uuid}`), uuid, folder, linphone);
    this.#phones.add(phone);
    await linphone.next('registration', { state: 'Ok' });
    if (!options.uuid) this.introduce(phone.device, address);
    return phone;
  }

  /**
   * Identity keys of a phone that waits, as the directory shows them to its owner: from when it knows them. Linphone says nothing of that,
   * so the directory is asked again and again.
   */
  async identity({ client }: Person, { device }: Phone): Promise<EngineDevice> {
    const deadline = Date.now() + PATIENCE_MS;
    while (Date.now() < deadline) {
      const found = (await client.devices.waiting()).find(({ id }) => id === device);
      if (found) return found;
    }
    throw new Error(`the directory does not know ${device}`);
  }

  /** Tells the conference server of a device, as its own registrar would. */
  introduce(device: DeviceId, address: AccountAddress): void {
    this.focus.tell(`device ${address} ${device}`);
  }

  async end(phone: Phone): Promise<void> {
    this.#phones.delete(phone);
    await phone.linphone.quit();
  }

  /** An encrypted room of the first one's making: a group if there are more than two people. `phones`: of all members, that have to join. */
  async room(maker: Phone, members: readonly Owner[], phones: readonly Phone[]): Promise<Room> {
    maker.linphone.tell(`create ${members.map(({ address }) => address).join(' ')}`);
    const { room, address } = await maker.linphone.next('room', { state: 'Created' });
    const name = room as string;
    for (const { linphone } of phones) await linphone.next('room', { state: 'Created', room: name });
    const user = `sip:focus@example.org;conf-id=${name}` as AccountAddress;
    return { name, address: address as string, user };
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    for (const phone of this.#phones) await this.end(phone);
    await this.focus.quit();
    await this.registrar.stop();
    await this.server.kill();
    await rm(this.folder, { recursive: true });
  }

  #next(): number {
    this.#count += 1;
    return this.#count;
  }
}

function uuidOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}
