/** Who takes part: people who write to each other at a steady rate, newcomers, takers of one-time keys, and people behind slow links. */
import { setTimeout as pause } from 'node:timers/promises';
import { nodeRuntime } from '@sealwire/client/node/runtime';
import { atOnce } from '@sealwire/light/at-once';
import type { LightDevice } from '@sealwire/light/device';
import { isLimit } from '@sealwire/light/limits';
import { drillAccount } from './drill-account.ts';
import { Person, type PersonTerms, untilDone } from './person.ts';
import { recordedRuntime } from './recorded-runtime.ts';

/** While a writer has so many messages that wait, it writes nothing new: an outage must not grow into a flood. */
const MOST_PENDING = 40;
const KEYS_EVERY_MS = 1_000;
const NEWCOMER_EVERY_MS = 5_000;
const REGISTER_AT_ONCE = 4;
const LEAVE_WITHIN_MS = 60_000;

export interface SocietyTerms extends PersonTerms {
  readonly people: number;
  readonly slowPeople: number;
  readonly slowPort: number | undefined;
  /** People are at home in them in turn, and a second device of theirs in the next one. */
  readonly regions: readonly { readonly name: string; readonly port: number }[] | undefined;
  /** Messages a second of all together. */
  readonly rate: number;
  /** Goes before every account's name: two drills of one server must not meet. */
  readonly prefix: string;
  /** 0 to 1. */
  readonly random: () => number;
}

export class Society {
  readonly people: Person[] = [];
  /** Their sockets go through a link of their own; they are among the people too. */
  readonly slow: Person[] = [];
  readonly newcomers: Person[] = [];
  readonly #terms: SocietyTerms;
  #running: Promise<void> = Promise.resolve();
  readonly #ending = new AbortController();
  /** Newcomers who are still at the door give up. */
  readonly #leaving = new AbortController();
  #taker: LightDevice | undefined;
  #isHeld = false;
  /** How many newcomers there were at `hold`. */
  #held = 0;
  #visiting: Promise<unknown> = Promise.resolve();

  constructor(terms: SocietyTerms) {
    this.#terms = terms;
  }

  /** Half of them have two devices. */
  async settle(): Promise<void> {
    const { people, slowPeople, slowPort, prefix } = this.#terms;
    const places = Array.from({ length: people + slowPeople }, (_, i) => i);
    await atOnce(places, REGISTER_AT_ONCE, async (i) => {
      const isSlow = i >= people;
      const terms = { ...this.#terms, relayPort: isSlow ? slowPort : undefined, region: this.#home(i) };
      const person = await Person.register(`${prefix}person-${i}`, terms);
      this.people.push(person);
      if (isSlow) this.slow.push(person);
      if (i % 2 === 0 && !isSlow) this.people.push(await Person.join(person, { ...terms, region: this.#home(i + 1) }));
    });
  }

  /** From now on people write, arrive, and take keys. */
  async begin(): Promise<void> {
    const { server, prefix, invitation } = this.#terms;
    const runtime = recordedRuntime(nodeRuntime(), this.#terms);
    [this.#taker] = await drillAccount(server, `${prefix}taker`, runtime, invitation);
    this.#running = Promise.all([this.#write(), this.#arrive(), this.#takeKeys()]).then(() => {});
    // Whoever waits for quiet is told.
    this.#running.catch(() => {});
  }

  /** Nobody writes anything new. What is under way goes on. */
  async quiet(): Promise<void> {
    this.#ending.abort();
    const patience = setTimeout(() => this.#leaving.abort(), LEAVE_WITHIN_MS);
    await this.#running;
    clearTimeout(patience);
  }

  /** Until `release` nobody arrives by themselves. Resolves when nobody is half-way in. */
  async hold(): Promise<void> {
    this.#isHeld = true;
    await this.#visiting;
    this.#held = this.newcomers.length;
  }

  release(): void {
    this.#isHeld = false;
  }

  /** Somebody new comes, and stays. `name`: none of the newcomers'. */
  async visit(name: string): Promise<void> {
    await this.#visit(`${this.#terms.prefix}${name}`, this.#terms);
  }

  /** Somebody of those with the fewest devices gets a further one. */
  async addDevice(): Promise<void> {
    const devicesOf = ({ client }: Person) => this.people.filter((other) => other.client.address === client.address);
    const [owner] = this.people
      .filter((person) => !this.slow.includes(person))
      .sort((a, b) => devicesOf(a).length - devicesOf(b).length);
    this.people.push(await Person.join(owner!, this.#terms));
  }

  /** Who came since `hold`, and is not known to the server any more, registers again. */
  async registerAgain(): Promise<void> {
    for (const [i, newcomer] of this.newcomers.entries())
      if (i >= this.#held) this.newcomers[i] = await newcomer.registerAgain(this.#terms);
  }

  get everybody(): readonly Person[] {
    return [...this.people, ...this.newcomers];
  }

  /** Messages that the server has not accepted yet. */
  get pending(): number {
    return this.everybody.reduce((sum, { client }) => sum + client.outbox.pending(), 0);
  }

  /** Large messages to `to`, from whoever is there. */
  async flood(to: readonly Person[], messages: number, bytes: number): Promise<void> {
    for (let i = 0; i < messages; i++) {
      const person = to[i % to.length]!;
      const writer = this.#pick(this.people.filter((other) => other.client.address !== person.client.address));
      await writer.write(person, bytes);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.everybody.map((person) => person.close()));
  }

  /** The accounts are deleted; for a server that stays. With one line for each that could not be. */
  async leave(): Promise<string[]> {
    const patience = AbortSignal.timeout(LEAVE_WITHIN_MS);
    const accounts = new Map<string, () => Promise<unknown>>();
    for (const { client } of this.everybody)
      accounts.set(client.address, () => untilDone(patience, () => client.account.delete()));
    if (this.#taker) accounts.set(this.#taker.id, () => this.#taker!.deleteAccount());
    const remain: string[] = [];
    for (const [name, remove] of accounts)
      await remove().catch((error: Error) => {
        remain.push(`${name}: ${error.message}`);
      });
    return remain;
  }

  async #write(): Promise<void> {
    const { rate } = this.#terms;
    for await (const _ of this.#every(1_000 / rate)) {
      const writer = this.#pick(this.people);
      if (writer.client.outbox.pending() >= MOST_PENDING) continue;
      await writer.write(this.#pick(this.people.filter((person) => person.client.address !== writer.client.address)));
    }
  }

  async #arrive(): Promise<void> {
    const { prefix, record } = this.#terms;
    const signal = AbortSignal.any([this.#terms.signal, this.#leaving.signal]);
    let number = 0;
    for await (const _ of this.#every(NEWCOMER_EVERY_MS)) {
      if (this.#isHeld) continue;
      const name = `${prefix}newcomer-${number++}`;
      const visit = this.#visit(name, { ...this.#terms, signal, region: this.#home(number) });
      this.#visiting = visit.catch(() => {});
      try {
        await visit;
      } catch (error) {
        // A limit of the deployment: it has seen enough of us, and nothing is wrong with it.
        if (isLimit(error)) return;
        if (!signal.aborted) record({ event: 'told', device: name, what: 'newcomer-failed', detail: String(error) });
      }
    }
  }

  /** A newcomer writes to somebody, takes a second device and puts it away again: accounts, keys and lists change under every fault. */
  async #visit(name: string, terms: PersonTerms): Promise<void> {
    const newcomer = await Person.register(name, terms);
    this.newcomers.push(newcomer);
    await newcomer.write(this.#pick(this.people));
    const second = await Person.join(newcomer, terms);
    await this.#pick(this.people).write(newcomer);
    await newcomer.remove(second, terms.signal);
  }

  async #takeKeys(): Promise<void> {
    for await (const _ of this.#every(KEYS_EVERY_MS)) {
      const targets = new Set([this.#pick(this.everybody), this.#pick(this.everybody)]);
      // A directory that is down gives no keys: the next turn asks again.
      await this.#taker?.takeBundles([...targets].map(({ client }) => client.device)).catch(() => undefined);
    }
  }

  /** Turns `ms` apart, until it becomes quiet. Turns that were missed are not made up for. */
  async *#every(ms: number): AsyncGenerator<void> {
    const { signal } = this.#ending;
    let next = performance.now();
    while (!signal.aborted) {
      next = Math.max(next + ms, performance.now());
      await pause(next - performance.now(), undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) yield;
    }
  }

  #home(i: number): PersonTerms['region'] {
    const { regions } = this.#terms;
    return regions?.[i % regions.length];
  }

  #pick<Some>(among: readonly Some[]): Some {
    return among[Math.floor(this.#terms.random() * among.length)]!;
  }
}
