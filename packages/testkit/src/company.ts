/**
 * The people of a test file, on a deployment of their own that is there before each test and gone after it. Its relay has two nodes, and
 * people are on them in turns: whoever comes after another writes to them over the bus.
 */
import { afterEach, beforeEach } from '@jest/globals';
import type { Client } from '@sealwire/client/client';
import type { IncomingEvent } from '@sealwire/client/events';
import { type Constellation, startConstellation } from './constellation.ts';
import { join, type Person, type PersonOptions, register } from './person.ts';

export class Company {
  /** Of the test that runs. */
  constellation!: Constellation;
  readonly people: Person[] = [];
  /** Further programs, which are closed when the test is over. */
  readonly clients: Client[] = [];

  /** `relays`: how many nodes; one where a test brings up much and is about one person's devices. */
  constructor(relays = 2) {
    beforeEach(async () => {
      this.constellation = await startConstellation({ relays });
    });
    afterEach(async () => {
      for (const { client } of this.people.splice(0)) await client.close();
      for (const client of this.clients.splice(0)) await client.close();
      await this.constellation.stop();
    });
  }

  async person(name: string, options: PersonOptions = {}): Promise<Person> {
    return this.online(await register(this.constellation, name, options));
  }

  /** Of the account of `person`. */
  async anotherDevice(person: Person, options: PersonOptions = {}): Promise<Person> {
    return this.online(await join(this.constellation, person, options));
  }

  /** It is closed when the test is over. */
  async online(person: Person): Promise<Person> {
    this.people.push(person);
    await person.client.connect();
    return person;
  }
}

/** The server has all of them when it resolves. Answers their ids. */
export async function say(from: Person, to: string, ...texts: string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const text of texts) {
    const { id, accepted } = await from.client.send(to, text);
    await accepted;
    ids.push(id);
  }
  return ids;
}

/** Everything that `of` is shown up to the message `text`: texts, and other events as they are, but for those of `passedOver`. */
export async function shownUntil(
  of: Person,
  text: string,
  passedOver: readonly IncomingEvent['kind'][] = ['caught-up'],
): Promise<(string | IncomingEvent)[]> {
  const shown: (string | IncomingEvent)[] = [];
  const enough = new AbortController();
  for await (const event of of.client.messages({ signal: enough.signal })) {
    if (passedOver.includes(event.kind)) continue;
    shown.push(event.kind === 'message' ? event.text! : event);
    if (event.kind === 'message' && event.text === text) enough.abort();
  }
  return shown;
}
