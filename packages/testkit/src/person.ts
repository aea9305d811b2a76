/** A device with its owner, for tests: a client over memory storage and a network that fails on demand. */
import { Client, type SuiteOptions } from '@sealwire/client/client';
import type { EngineFactory } from '@sealwire/client/engine';
import type { IncomingEvent, IncomingMessage } from '@sealwire/client/events';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import type { ClientRuntime } from '@sealwire/client/runtime';
import type { ClientStorage } from '@sealwire/client/storage';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import type { Constellation } from './constellation.ts';
import { FlakyNetwork } from './flaky-network.ts';

export const BOTH_CURVES = ['c25519', 'c448'] as const;
/** Of those of whom a test does not say another thing: half of what a device costs are keys on the second curve. */
export const ONE_CURVE = ['c25519'] as const;

export interface PersonOptions extends SuiteOptions {
  readonly storage?: ClientStorage;
  readonly now?: () => number;
  readonly invitation?: string;
  /** Times in ms that are over at once. */
  readonly short?: readonly number[];
  readonly receiptMessages?: boolean;
  readonly engines?: readonly EngineFactory[];
  readonly deviceAuthority?: { readonly publicKey: Uint8Array };
}

export interface Person {
  readonly client: Client;
  readonly network: FlakyNetwork;
  readonly storage: ClientStorage;
  readonly runtime: ClientRuntime;
}

/** A runtime over `network`, with pauses cut short: a test does not wait out a back-off. Times of `short` are over at once, too. */
export function runtimeOver(
  network: FlakyNetwork,
  now: () => number = Date.now,
  short: readonly number[] = [],
): ClientRuntime {
  return {
    crypto: nodeCrypto(),
    random: systemRandom,
    now,
    fetch: network.fetch,
    connectSocket: network.connectSocket,
    timers: {
      after(ms, run) {
        const timer = setTimeout(run, ms < 5_000 || short.includes(ms) ? Math.min(ms, 30) : ms);
        timer.unref();
        return () => clearTimeout(timer);
      },
    },
  };
}

export async function register(
  constellation: Pick<Constellation, 'origin'>,
  name: string,
  options: PersonOptions = {},
): Promise<Person> {
  const {
    curves = ONE_CURVE,
    hybrid,
    invitation,
    storage = new MemoryStorage(),
    now,
    short,
    receiptMessages,
    engines,
    deviceAuthority,
  } = options;
  const network = new FlakyNetwork();
  const runtime = runtimeOver(network, now, short);
  const client = await Client.register({
    server: constellation.origin,
    name,
    storage,
    runtime,
    curves,
    ...(hybrid ? { hybrid } : {}),
    ...(invitation ? { invitation } : {}),
    ...(receiptMessages !== undefined ? { receiptMessages } : {}),
    ...(engines ? { engines } : {}),
    ...(deviceAuthority ? { deviceAuthority } : {}),
  });
  return { client, network, storage, runtime };
}

/** Another device for the account of `person`. */
export async function join(constellation: Constellation, person: Person, options: PersonOptions = {}): Promise<Person> {
  const { curves = ONE_CURVE, hybrid, storage = new MemoryStorage(), now, engines } = options;
  const network = new FlakyNetwork();
  const runtime = runtimeOver(network, now);
  const client = await Client.join({
    server: constellation.origin,
    name: person.client.address.slice('sip:'.length).split('@')[0]!,
    accountSecret: person.client.account.exportSecret(),
    storage,
    runtime,
    curves,
    ...(hybrid ? { hybrid } : {}),
    ...(engines ? { engines } : {}),
  });
  return { client, network, storage, runtime };
}

/** The same device after its process has died: what was in its storage, on a new network. The old client must not be used any more. */
export async function afterCrash(
  person: Person,
  options: Pick<PersonOptions, 'engines' | 'deviceAuthority'> = {},
): Promise<Person> {
  const storage = (person.storage as MemoryStorage).copy();
  const network = new FlakyNetwork();
  person.network.up = false;
  person.network.cut();
  const runtime = runtimeOver(network, person.runtime.now);
  return { client: await Client.open({ ...options, storage, runtime }), network, storage, runtime };
}

/** Each of two people trusts the other's device: neither is a stranger. */
export async function acquaint(one: Person, other: Person): Promise<void> {
  for (const [{ client }, of] of [
    [one, other],
    [other, one],
  ] as const) {
    await client.trust.peer(of.client.address);
    await client.trust.set(of.client.device, 'trusted');
  }
}

/** Reads until `count` events of a kind have come; the last one is taken, too. */
export async function take<K extends IncomingEvent['kind']>(
  client: Client,
  kind: K,
  count: number,
): Promise<Extract<IncomingEvent, { kind: K }>[]> {
  const found: Extract<IncomingEvent, { kind: K }>[] = [];
  const enough = new AbortController();
  for await (const event of client.messages({ signal: enough.signal })) {
    if (event.kind !== kind) continue;
    found.push(event as Extract<IncomingEvent, { kind: K }>);
    if (found.length === count) enough.abort();
  }
  return found;
}

export async function takeTexts(client: Client, count: number): Promise<string[]> {
  return (await take(client, 'message', count)).map(({ text }: IncomingMessage) => text!);
}

/** Everything up to the end of the backlog. */
export async function takeBacklog(client: Client): Promise<IncomingEvent[]> {
  const events: IncomingEvent[] = [];
  for await (const event of client.messages({ untilCaughtUp: true })) events.push(event);
  return events;
}
