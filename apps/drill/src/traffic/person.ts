/** One device of a person: the SDK over memory storage, everything that it is told written down. */

import { setTimeout as pause } from 'node:timers/promises';
import { Client } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import type { IncomingEvent, OutgoingMessage } from '@sealwire/client/events';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import { nodeRuntime } from '@sealwire/client/node/runtime';
import type { ClientRuntime } from '@sealwire/client/runtime';
import { MOST_PATIENCE_MS } from '@sealwire/light/limits';
import type { Record } from '../history/history.ts';
import { recordedRuntime } from './recorded-runtime.ts';

/** What an SDK tells when all is well. */
const NO_FAULTS: readonly IncomingEvent['kind'][] = [
  'caught-up',
  'devices-changed',
  'delivered',
  'displayed',
  'displayed-elsewhere',
];

const RETRY_MS = 500;
const NOTHING = '';

export interface PersonTerms {
  readonly server: string;
  readonly record: Record;
  readonly now: () => number;
  readonly invitation?: string | undefined;
  readonly relayPort?: number | undefined;
  /** Where it is at home, and to which port of this machine everything goes from there. */
  readonly region?: { readonly name: string; readonly port: number } | undefined;
  /** Ends attempts to register. */
  readonly signal: AbortSignal;
}

export class Person {
  readonly client: Client;
  readonly #record: Record;
  readonly #numbers = new Map<string, number>();
  readonly #reading: Promise<void>;
  readonly #drop: () => void;
  readonly #entrance: Entrance | undefined;

  private constructor(
    client: Client,
    record: Record,
    drop: () => void,
    readonly region?: string,
    entrance?: Entrance,
  ) {
    this.client = client;
    this.#record = record;
    this.#drop = drop;
    this.#entrance = entrance;
    record({
      event: 'device',
      device: client.device,
      account: client.address,
      ...(region !== undefined && { region }),
    });
    client.onState((state) => record({ event: 'connection', device: client.device, state }));
    this.#reading = this.#read();
    void client.connect();
  }

  /** Makes an account; tries until it works, each step being repeatable. Throws `ClientError` when it never will. */
  static register(name: string, terms: PersonTerms): Promise<Person> {
    const { server, invitation } = terms;
    return enter(terms, (options) =>
      Client.register({ ...options, server, name, ...(invitation ? { invitation } : {}) }),
    );
  }

  /** Another device of the account of `owner`. */
  static join(owner: Person, terms: PersonTerms): Promise<Person> {
    const name = owner.name;
    const accountSecret = owner.client.account.exportSecret();
    return enter(terms, (options) => Client.join({ ...options, server: terms.server, name, accountSecret }));
  }

  /** `drop` breaks its newest socket. */
  static from(client: Client, record: Record, drop: () => void, region?: string, entrance?: Entrance): Person {
    return new Person(client, record, drop, region, entrance);
  }

  /** This very device, whose account the server does not know any more: registered again with the keys that it has (docs/adr/0028). */
  async registerAgain({ server, record, invitation, signal }: PersonTerms): Promise<Person> {
    if (!this.#entrance) throw new Error('only somebody who has registered here can do so again');
    const name = this.name;
    await this.close();
    const options = { ...this.#entrance, server, name, ...(invitation ? { invitation } : {}) };
    const client = await untilDone(signal, () => Client.register(options));
    const again = new Person(client, record, this.#drop, this.region, this.#entrance);
    for (const [to, number] of this.#numbers) again.#numbers.set(to, number);
    return again;
  }

  get name(): string {
    return this.client.address.slice('sip:'.length).split('@')[0]!;
  }

  get online(): boolean {
    return this.client.state === 'online';
  }

  /** Writes to `to`; `filling` bytes more than a short text. */
  async write(to: Person, filling = 0): Promise<void> {
    const { address } = to.client;
    const number = (this.#numbers.get(address) ?? 0) + 1;
    this.#numbers.set(address, number);
    let outgoing: OutgoingMessage;
    try {
      outgoing = await this.client.send(address, `${number} ${'.'.repeat(filling)}`);
    } catch (error) {
      this.#tell('send-failed', String(error));
      return;
    }
    const { id, accepted } = outgoing;
    this.#record({ event: 'send', id, from: this.client.device, to: address, number });
    accepted.then(
      ({ leftOut }) => this.#record({ event: 'accepted', id, leftOut }),
      (error: unknown) => {
        if (error instanceof ClientError && error.code === 'closed') return;
        this.#tell('send-failed', error instanceof Error ? error.message : String(error));
      },
    );
  }

  /** Takes `other` out of the account; tries until it works. */
  async remove(other: Person, signal: AbortSignal): Promise<void> {
    this.#record({ event: 'device-leaves', device: other.client.device });
    await other.close();
    await untilDone(signal, async () => {
      try {
        await this.client.devices.remove(other.client.device);
      } catch (error) {
        // An attempt before was heard, and its answer was not.
        if (!(error instanceof ClientError && error.code === 'not-found')) throw error;
      }
    });
  }

  /** Its socket breaks without a word; it comes back by itself. */
  cut(): void {
    this.#drop();
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.#reading;
  }

  async #read(): Promise<void> {
    const { device } = this.client;
    try {
      for await (const event of this.client.messages()) this.#got(event);
    } catch (error) {
      const detail = error instanceof ClientError ? `${error.code}: ${error.message}` : String(error);
      this.#record({ event: 'told', device, what: 'stopped', detail });
    }
  }

  #got(event: IncomingEvent): void {
    const { device } = this.client;
    if (event.kind === 'message') {
      const number = Number.parseInt(event.text ?? NOTHING, 10);
      const to = event.from === this.client.address ? event.conversation : this.client.address;
      this.#record({ event: 'received', id: event.id, device, from: event.device, to, number });
    } else if (event.kind === 'device-skipped')
      this.#record({ event: event.kind, device, id: event.id, skipped: event.device, reason: event.reason });
    else if (!NO_FAULTS.includes(event.kind)) this.#tell(event.kind, JSON.stringify(event));
  }

  #tell(what: string, detail: string): void {
    this.#record({ event: 'told', device: this.client.device, what, detail });
  }
}

interface Entrance {
  readonly storage: MemoryStorage;
  readonly runtime: ClientRuntime;
}

async function enter(terms: PersonTerms, attempt: (options: Entrance) => Promise<Client>): Promise<Person> {
  let newest = () => {};
  const opened = (drop: () => void) => {
    newest = drop;
  };
  const runtime = recordedRuntime(nodeRuntime(), { ...terms, port: terms.region?.port, opened });
  const storage = new MemoryStorage();
  const client = await untilDone(terms.signal, async () => {
    try {
      return await attempt({ storage, runtime });
    } catch (error) {
      await storage.close();
      throw error;
    }
  });
  return Person.from(client, terms.record, () => newest(), terms.region?.name, { storage, runtime });
}

/** What a fault or a limit refused is tried again; what can never work, or not soon, is thrown. */
export async function untilDone<Answer>(signal: AbortSignal, attempt: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ClientError && error.retryable)) throw error;
      const { retryAfterMs = RETRY_MS } = error;
      if (error.code === 'too-many-requests' && retryAfterMs > MOST_PATIENCE_MS) throw error;
      await pause(Math.min(retryAfterMs, MOST_PATIENCE_MS), undefined, { signal });
    }
  }
}
