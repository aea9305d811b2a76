/** The devices of a scenario, on any server that lets people register: under names of their own run, and what each of them was shown. */
import { Client, type LinkRequest } from '@sealwire/client/client';
import type { IncomingEvent } from '@sealwire/client/events';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import type { VerificationState } from '@sealwire/client/verification';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { type AccountAddress, nameOf } from '@sealwire/wire/ids';
import { FlakyNetwork } from '../flaky-network.ts';
import { newcomer } from '../newcomer.ts';
import { ONE_CURVE, register, runtimeOver } from '../person.ts';
import { isNotice, lineOf, type Names, verificationLine } from './lines.ts';

/** Lines are made when they are looked at: by then the script has named what they are about. */
type Line = () => string | undefined;

export interface Member {
  readonly actor: string;
  readonly client: Client;
  readonly network: FlakyNetwork;
  readonly shown: Line[];
  readonly told: Line[];
  /** The comparison of four characters that this device was told of last. */
  dialogue?: VerificationState;
}

interface Named {
  readonly value: string;
  /** Of a message. */
  readonly author?: AccountAddress;
}

export interface World {
  readonly origin: string;
  readonly invitation?: string;
  /** For how long a line may let itself be waited for, in ms. */
  readonly patience: number;
  /** Ends the names of this run: accounts stay on the server. */
  readonly run: string;
}

export class Cast {
  readonly names: Names;
  readonly #world: World;
  readonly #members = new Map<string, Member>();
  readonly #waiting = new Set<() => void>();
  /** Messages, groups and links, by what the script calls them. */
  readonly #named = new Map<string, Named>();
  readonly #onCaughtUp = new Map<string, () => void>();

  constructor(world: World) {
    this.#world = world;
    this.names = {
      account: (address) => nameOf(address).replace(`-${world.run}`, ''),
      device: (id) => [...this.#members.values()].find(({ client }) => client.device === id)?.actor ?? id,
      thing: (value) => [...this.#named].find(([, named]) => named.value === value)?.[0] ?? value,
    };
  }

  /** Throws for who has not come yet. */
  member(actor: string): Member {
    const member = this.#members.get(actor);
    if (!member) throw new Error(`${actor} is not there: let ${actor} register or be linked first`);
    return member;
  }

  /** What the server calls what the script calls `name`: a group of that name, or else an account. */
  addressOf(name: string): string {
    return this.#named.get(name)?.value ?? `${name}-${this.#world.run}`;
  }

  called(name: string): Named {
    const named = this.#named.get(name);
    if (!named) throw new Error(`nothing is called ${name}`);
    return named;
  }

  call(name: string, named: Named): void {
    this.#named.set(name, named);
  }

  async register(actor: string): Promise<void> {
    const { client, network } = await register(this.#world, this.addressOf(actor));
    await this.#enter(actor, client, network);
  }

  /** The new device `actor`, let in by `by`; `digits` makes what the user types of what the new device shows. */
  async link(actor: string, by: Member, digits: (shown: string) => string, administrator: boolean): Promise<void> {
    const device = newcomer(this.#world, this.addressOf(accountOf(actor)), new MemoryStorage());
    try {
      // Who is refused shows no code.
      await Promise.race([device.code, device.linked]);
      const request: LinkRequest = await by.client.devices.answerLink(await device.code);
      await request.approve(digits(await device.digits), { administrator });
    } catch (error) {
      device.stop.abort();
      await device.linked.catch(() => undefined);
      throw error;
    }
    await this.#enter(actor, await device.linked, device.network);
  }

  /** The new device `actor`, by what `owner` has on paper. */
  async recover(actor: string, owner: Member): Promise<void> {
    const network = new FlakyNetwork();
    const client = await Client.recover({
      ...{ server: this.#world.origin, name: this.addressOf(accountOf(actor)), storage: new MemoryStorage() },
      recoveryKey: owner.client.account.recoveryKey(),
      runtime: runtimeOver(network),
      curves: ONE_CURVE,
    });
    await this.#enter(actor, client, network);
  }

  /** The next of `lines`, taken; undefined when none has come in time. */
  async next(lines: Line[]): Promise<string | undefined> {
    const until = AbortSignal.timeout(this.#world.patience);
    for (;;) {
      const line = lines.shift();
      const text = line?.();
      if (text !== undefined) return text;
      if (line) continue;
      if (until.aborted) return undefined;
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
        until.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  /** What came that no step has named, by actor: everything that the server still has for a device is fetched first. */
  async leftOver(): Promise<string[]> {
    const left: string[] = [];
    for (const { actor, client, network, shown, told } of this.#members.values()) {
      if (client.state !== 'stopped') {
        const caughtUp = new Promise<void>((resolve) => this.#onCaughtUp.set(actor, resolve));
        network.cut();
        await caughtUp;
      }
      for (const [mark, lane] of [
        ['<', shown],
        ['!', told],
      ] as const)
        for (const line of lane) {
          const text = line();
          if (text !== undefined) left.push(`${actor} ${mark} ${text}`);
        }
    }
    return left;
  }

  async close(): Promise<void> {
    for (const { client } of this.#members.values()) await client.close();
  }

  async #enter(actor: string, client: Client, network: FlakyNetwork): Promise<void> {
    const member: Member = { actor, client, network, shown: [], told: [] };
    this.#members.set(actor, member);
    client.verification.onChange((state) => {
      member.dialogue = state;
      this.#push(member.told, () => verificationLine(state, this.names));
    });
    void this.#read(member);
    await client.connect();
  }

  async #read(member: Member): Promise<void> {
    const { actor, client, told } = member;
    try {
      for await (const event of client.messages()) this.#arrived(member, event);
    } catch (error) {
      this.#push(told, () => `stopped: ${(error as { code?: string }).code ?? String(error)}`);
    }
    this.#onCaughtUp.get(actor)?.();
  }

  #arrived({ actor, client, shown, told }: Member, event: IncomingEvent): void {
    if (event.kind === 'caught-up') this.#onCaughtUp.get(actor)?.();
    this.#push(isNotice(event) ? told : shown, () => lineOf(event, client.address, this.names));
  }

  #push(lane: Line[], line: Line): void {
    lane.push(line);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** Six characters that an account's name may have. */
export function newRun(random: (bytes: number) => Uint8Array): string {
  return encodeBase64url(random(16))
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .slice(0, 6);
}

function accountOf(actor: string): string {
  return actor.split('/')[0]!;
}
