/**
 * What a Linphone needs around it, on one curve: our servers as a process, a SIP registrar, a conference server (`focus`), and people, each
 * with an account of ours and as many Linphones as a test asks for. Everything is on the loopback.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@sealwire/client/client';
import type { EngineFactory } from '@sealwire/client/engine';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import { nodeRuntime } from '@sealwire/client/node/runtime';
import type { CurveName } from '@sealwire/crypto/port';
import { type AccountAddress, type DeviceId, parseDeviceId } from '@sealwire/wire/ids';
import { Linphone, Registrar } from '../../../../interop/linphone/linphone.mjs';
import { ServerProcess } from '../faults/server-process.ts';

/** Of the app passwords; that of the SIP accounts would be the domain (docs/operations/linphone.md section 2). */
export const REALM = 'lime.example.org';
/** Linphone syncs its stores at every message, which takes milliseconds on a disk. */
const FAST = '/dev/shm';

/** An account of ours: made by the SDK, with an app password for its Linphones. */
export interface Person {
  readonly name: string;
  readonly address: AccountAddress;
  readonly client: Client;
  readonly password: string;
  /** Of the password. */
  readonly passwordId: string;
}

export interface PhoneOptions {
  /** Default: the person's. */
  readonly password?: string;
  /** The `gr` of its device id. Default: a new one. */
  readonly uuid?: string;
  /** A device that lost all that it had, and comes back. */
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
  async says(room: Room, text: string): Promise<string> {
    this.linphone.tell(`send ${room.name} ${text}`);
    const { id } = await this.linphone.next('sent', { state: 'Delivered' });
    return id as string;
  }
}

export class World {
  #count = 0;
  readonly #phones = new Set<Phone>();
  readonly #clients: Client[] = [];

  private constructor(
    private readonly kit: string,
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
    const { password, id } = await client.makeAppPassword('Linphone');
    return { name: numbered, address: client.address, client, password, passwordId: id };
  }

  /** Resolves when it is registered at the registrar; the conference server knows it from then on. */
  async phone(
    { name, address, password }: Omit<Person, 'client' | 'passwordId'>,
    options: PhoneOptions = {},
  ): Promise<Phone> {
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

  /** Tells the conference server of a device, as its own registrar would. */
  introduce(device: DeviceId, address: AccountAddress): void {
    this.focus.tell(`device ${address} ${device}`);
  }

  async end(phone: Phone): Promise<void> {
    this.#phones.delete(phone);
    await phone.linphone.quit();
  }

  /** An encrypted room of the first one's making: a group if there are more than two people. `phones`: of all members, that have to join. */
  async room(maker: Phone, members: readonly Person[], phones: readonly Phone[]): Promise<Room> {
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
    await this.server.stop();
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
