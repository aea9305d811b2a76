/** Ways in and back in: registration that is cut off at every step, logins, close codes, limits (cases L01, L02, L06). */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from '@sealwire/client/client';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import { closeCodeOf } from '@sealwire/wire/errors';
import { LIMITS } from '@sealwire/wire/limits';
import { type Constellation, startConstellation } from './constellation.ts';
import { FlakyNetwork } from './flaky-network.ts';
import { join, type Person, register, runtimeOver, take, takeTexts } from './person.ts';

const DAY = 86_400_000;

let constellation: Constellation;
let clients: Client[];
/** Moves the clocks of everybody, servers included. */
let ahead: number;
const now = () => Date.now() + ahead;

beforeEach(async () => {
  ahead = 0;
  constellation = await startConstellation({ now });
  clients = [];
});

afterEach(async () => {
  for (const client of clients) await client.close();
  await constellation.stop();
});

async function person(name: string): Promise<Person> {
  const made = await register(constellation, name, { now });
  clients.push(made.client);
  return made;
}

describe('registration', () => {
  const network = () => new FlakyNetwork();
  const options = (storage: MemoryStorage, over: FlakyNetwork, name = 'alice') => ({
    server: constellation.origin,
    name,
    storage,
    runtime: runtimeOver(over, now),
  });

  it('goes on where it stopped, though the name is typed in another form', async () => {
    const storage = new MemoryStorage();
    const over = network();
    over.intercept = async (request, ask) => {
      if (request.url.endsWith('/v1/accounts')) throw new TypeError('fetch failed');
      return ask();
    };
    await expect(Client.register(options(storage, over, 'Alice'))).rejects.toMatchObject({ code: 'unreachable' });
    await storage.close();
    const alice = await Client.register(options(storage, network(), 'ａlice'));
    clients.push(alice);
    expect(alice.address).toBe('sip:alice@example.org');
  });

  it.each(['request', 'answer'] as const)('goes on after a crash at every step, each %s lost in turn', async (what) => {
    const storage = new MemoryStorage();
    let device: string | undefined;
    for (let step = 1; ; step++) {
      const over = network();
      let requests = 0;
      over.intercept = async (_request, ask) => {
        requests += 1;
        if (requests < step) return ask();
        over.up = false;
        if (what === 'answer') await ask();
        throw new TypeError('fetch failed');
      };
      const attempt = await Client.register(options(storage, over)).catch((error: unknown) => error);
      if (attempt instanceof Client) {
        clients.push(attempt);
        expect(step).toBeGreaterThan(3);
        break;
      }
      expect(attempt).toMatchObject({ code: 'unreachable', retryable: true });
      await storage.close();
      const self = (await storage.copy().load()).get('self/account');
      const saved = self && /urn:uuid:[0-9a-f-]{36}/.exec(new TextDecoder().decode(self))?.[0];
      expect(saved).toBe(device ?? saved);
      device = saved;
    }
    const [alice] = clients as [Client];
    const bob = await person('bob');
    await bob.client.connect();
    await bob.client.send('alice', 'made it?');
    await alice.close();
    const again = await Client.open({ storage, runtime: runtimeOver(network(), now) });
    clients.push(again);
    expect(again.device).toBe(`sip:alice@example.org;gr=${device}`);
    await again.connect();
    expect(await takeTexts(again, 1)).toEqual(['made it?']);
    expect((await constellation.store.devices.list([again.address]))[0]).toHaveLength(1);
  });

  it('saves the keys before any of them leaves', async () => {
    const storage = new MemoryStorage();
    const over = network();
    let written: string[] | undefined;
    over.intercept = async (request, ask) => {
      if (request.method === 'POST') written ??= [...(await storage.copy().load()).keys()];
      return ask();
    };
    clients.push(await Client.register(options(storage, over)));
    expect(written).toContain('self/account');
    expect(written!.some((key) => key.startsWith('lime-c448/'))).toBe(true);
  });

  it('a name that is taken: told; the same storage may try another one', async () => {
    await person('alice');
    const storage = new MemoryStorage();
    await expect(Client.register(options(storage, network()))).rejects.toMatchObject({ code: 'name-taken' });
    await storage.close();
    const other = await Client.register(options(storage, network(), 'alicia'));
    clients.push(other);
    expect(other.address).toBe('sip:alicia@example.org');
  });

  it('an unfinished registration is not mistaken for another one, nor a finished one', async () => {
    const storage = new MemoryStorage();
    const over = network();
    over.intercept = async (request, ask) => {
      if (request.method === 'POST') throw new TypeError('fetch failed');
      return ask();
    };
    await expect(Client.register(options(storage, over))).rejects.toMatchObject({ code: 'unreachable' });
    await storage.close();
    await expect(Client.register(options(storage, network(), 'bob'))).rejects.toMatchObject({
      code: 'registration-pending',
    });
    await storage.close();
    await expect(Client.open({ storage, runtime: runtimeOver(network()) })).rejects.toMatchObject({
      code: 'registration-pending',
    });
    await storage.close();
    clients.push(await Client.register(options(storage, network())));
    await clients[0]!.close();
    await expect(Client.register(options(storage, network()))).rejects.toMatchObject({ code: 'already-registered' });
  });

  it('T105: one that somebody else’s took the name of is refused, and the storage may try another name', async () => {
    const storage = new MemoryStorage();
    const over = network();
    over.intercept = async (request, ask) => {
      if (request.method === 'POST' && !request.url.endsWith('/v1/accounts')) throw new TypeError('fetch failed');
      return ask();
    };
    await expect(Client.register(options(storage, over))).rejects.toMatchObject({ code: 'unreachable' });
    await storage.close();
    ahead = DAY;
    const heir = await person('alice');
    await expect(Client.register(options(storage, network()))).rejects.toMatchObject({ code: 'name-taken' });
    await storage.close();
    clients.push(await Client.register(options(storage, network(), 'alicia')));
    await heir.client.connect();
    await clients.at(-1)!.connect();
    await clients.at(-1)!.send('alice', 'yours now');
    expect(await takeTexts(heir.client, 1)).toEqual(['yours now']);
  });

  it('user mistakes are told in one line: empty storage, bad name, bad server, closed gate', async () => {
    const open = Client.open({ storage: new MemoryStorage(), runtime: runtimeOver(network()) });
    await expect(open).rejects.toMatchObject({ code: 'not-registered' });
    const badName = Client.register(options(new MemoryStorage(), network(), 'A'));
    await expect(badName).rejects.toMatchObject({ code: 'bad-request', message: expect.stringContaining('3 to 32') });
    const badServer = Client.register({ ...options(new MemoryStorage(), network()), server: 'localhost' });
    await expect(badServer).rejects.toMatchObject({ code: 'bad-request' });
    const gated = await startConstellation({ gate: 'invitation' });
    const uninvited = Client.register({
      ...options(new MemoryStorage(), network()),
      server: gated.origin,
      invitation: 'wrong',
    });
    await expect(uninvited).rejects.toMatchObject({ code: 'invitation-invalid' });
    await gated.stop();
  });

  it('joining needs the account’s own secret', async () => {
    const alice = await person('alice');
    const mallory = await person('mallory');
    const joining = Client.join({
      ...options(new MemoryStorage(), network()),
      accountSecret: mallory.client.account.exportSecret(),
    });
    await expect(joining).rejects.toMatchObject({ code: 'wrong-account-secret' });
    expect((await constellation.store.devices.list([alice.client.address]))[0]).toHaveLength(1);
    const phone = await join(constellation, alice, { now });
    clients.push(phone.client);
    expect(await alice.client.devices.list()).toHaveLength(2);
    expect(phone.client.account.exportSecret()).toEqual(alice.client.account.exportSecret());
  });

  it('joining with the wrong secret leaves the storage free for the right one', async () => {
    const alice = await person('alice');
    const storage = new MemoryStorage();
    const wrong = { ...options(storage, network()), accountSecret: new Uint8Array(32).fill(7) };
    await expect(Client.join(wrong)).rejects.toMatchObject({ code: 'wrong-account-secret' });
    await storage.close();
    const right = { ...options(storage, network()), accountSecret: alice.client.account.exportSecret() };
    clients.push(await Client.join(right));
    expect(await alice.client.devices.list()).toHaveLength(2);
  });
});

describe('connecting', () => {
  it('L01: a renewable close code gets a new login, then a new link', async () => {
    const alice = await person('alice');
    const tokens: string[] = [];
    alice.network.outgoing = (frame) => {
      if (frame.kind === 'hello') tokens.push(frame.token);
      return frame;
    };
    await alice.client.connect();
    ahead += 1_000;
    alice.network.cut(closeCodeOf('token-expired'));
    await untilState(alice.client, 'online');
    expect(alice.network.links).toBe(2);
    expect(new Set(tokens).size).toBe(2);
  });

  it('L01: a terminal close code stops the client, tells everybody who waits, and opens no link again', async () => {
    const alice = await person('alice');
    await alice.client.connect();
    const reading = take(alice.client, 'message', 1);
    alice.network.outgoing = (frame) => (frame.kind === 'send' ? undefined : frame);
    const { accepted } = await alice.client.send('alice2', 'x');
    alice.network.cut(closeCodeOf('protocol-error'));
    await expect(reading).rejects.toMatchObject({ code: 'protocol-error' });
    await expect(accepted).rejects.toMatchObject({ code: expect.stringMatching(/protocol-error|unknown-account/) });
    await expect(alice.client.connect()).rejects.toMatchObject({ code: 'protocol-error' });
    expect(alice.client.state).toBe('stopped');
    expect(alice.network.links).toBe(1);
  });

  it('L02: a directory that is busy when a stranger’s message comes is obeyed; the relay repeats the message later', async () => {
    const bob = await person('bob');
    const alice = await person('alice');
    const pauses: number[] = [];
    const paused = new Promise<void>((resolve) => {
      Object.assign(bob.runtime, {
        trace: ({ name, inMs }: { name: string; inMs?: number }) => {
          if (name !== 'reconnecting') return;
          pauses.push(inMs!);
          resolve();
        },
      });
    });
    bob.network.intercept = async (request, ask) =>
      request.url.endsWith('/manifests/alice')
        ? new Response('', { status: 429, headers: { 'retry-after': '60' } })
        : ask();
    await bob.client.connect();
    await alice.client.connect();
    await (await alice.client.send('bob', 'from a stranger')).accepted;
    await paused;
    expect(pauses[0]).toBeGreaterThanOrEqual(60_000);
    await bob.client.close();
    const later = await Client.open({ storage: bob.storage, runtime: runtimeOver(new FlakyNetwork(), now) });
    clients.push(later);
    await later.connect();
    expect(await takeTexts(later, 1)).toEqual(['from a stranger']);
  });

  it('I12: a device that is not there any more is told so at login', async () => {
    const alice = await person('alice');
    await constellation.store.devices.remove(alice.client.device, now());
    await expect(alice.client.connect()).rejects.toMatchObject({
      code: expect.stringMatching(/login-refused|device-removed/),
    });
    expect(alice.client.state).toBe('stopped');
  });

  it('waits for a server that is away, and gives up only when told to', async () => {
    const alice = await person('alice');
    await constellation.stop();
    const giveUp = new AbortController();
    const connecting = alice.client.connect({ signal: giveUp.signal });
    await untilState(alice.client, 'connecting');
    await constellation.start();
    await connecting;
    expect(alice.client.state).toBe('online');
    const bob = await person('bob');
    await constellation.stop();
    const hopeless = bob.client.connect({ signal: giveUp.signal });
    const reading = take(bob.client, 'message', 1);
    giveUp.abort();
    await expect(hopeless).rejects.toMatchObject({ code: 'aborted' });
    await expect(reading).rejects.toMatchObject({ code: 'aborted' });
    await expect(bob.client.connect()).rejects.toMatchObject({ code: 'aborted' });
  });

  it('L02: "not now, in a second" is obeyed, and tried again', async () => {
    const alice = await person('alice');
    let refusals = 2;
    const waits: number[] = [];
    const network = new FlakyNetwork();
    network.intercept = async (request, ask) => {
      if (!request.url.endsWith('/login/token') || refusals-- <= 0) return ask();
      return Response.json(
        { type: 'about:blank', title: 'slow down', status: 429, code: 'too-many-requests', retryable: true },
        { status: 429, headers: { 'retry-after': '7' } },
      );
    };
    const runtime = runtimeOver(network, now);
    const after: NonNullable<typeof runtime.timers>['after'] = (ms, run) => {
      if (ms === 7_000) waits.push(ms);
      return runtime.timers!.after(ms === 7_000 ? 0 : ms, run);
    };
    await alice.client.close();
    const client = await Client.open({ storage: alice.storage, runtime: { ...runtime, timers: { after } } });
    clients.push(client);
    await client.connect();
    expect(waits).toEqual([7_000, 7_000]);
  });

  it('L06: 46 days offline: told of the gap, and the conversation goes on', async () => {
    const alice = await person('alice');
    const bob = await person('bob');
    await Promise.all([alice.client.connect(), bob.client.connect()]);
    await alice.client.send('bob', 'hello');
    expect(await takeTexts(bob.client, 1)).toEqual(['hello']);
    await bob.client.send('alice', 'bye');
    expect(await takeTexts(alice.client, 1)).toEqual(['bye']);
    while ((await constellation.store.mailboxes.usage(bob.client.device)).messages > 0) await turn();
    bob.network.up = false;
    bob.network.cut();
    for (const text of ['one', 'two', 'three']) await (await alice.client.send('bob', text)).accepted;
    ahead += 46 * DAY;
    await constellation.store.mailboxes.expire(now() - LIMITS.messageLifeMs.value, 100);
    bob.network.up = true;
    expect(await take(bob.client, 'gap', 1)).toEqual([{ kind: 'gap', count: 3, reason: 'expired' }]);
    await (await alice.client.send('bob', 'still there?')).accepted;
    expect(await takeTexts(bob.client, 1)).toEqual(['still there?']);
    await (await bob.client.send('alice', 'yes')).accepted;
    expect(await takeTexts(alice.client, 1)).toEqual(['yes']);
  });

  it('the token is renewed, and prekeys are looked after, when days pass', async () => {
    const alice = await person('alice');
    const bob = await person('bob');
    await bob.client.connect();
    await alice.client.connect();
    await (await alice.client.send('bob', 'hello')).accepted;
    expect(await takeTexts(bob.client, 1)).toEqual(['hello']);
    const held = async () => (await constellation.store.prekeys.listOneTime(bob.client.device, 'c25519')).length;
    expect(await held()).toBe(99);
    ahead += 8 * DAY;
    bob.network.cut();
    while ((await held()) < 100) await turn();
    alice.network.cut();
    await (await alice.client.send('bob', 'eight days later')).accepted;
    expect(await takeTexts(bob.client, 1)).toEqual(['eight days later']);
  });
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

function untilState(client: Client, wanted: Client['state']): Promise<void> {
  return new Promise((resolve) => {
    if (client.state === wanted) return resolve();
    const forget = client.onState((state) => {
      if (state !== wanted) return;
      forget();
      resolve();
    });
  });
}
