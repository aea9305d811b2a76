/** A new device that one of the account's lets in (docs/spec/linking.md), over real servers, also such as stand between the two. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client, type LinkRequest } from '@sealwire/client/client';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { LIMITS } from '@sealwire/wire/limits';
import { formatLinkCode, LINK_REVEAL, LINK_SLOTS, parseLinkCode } from '@sealwire/wire/linking';
import { type Constellation, startConstellation } from './constellation.ts';
import { newcomer as deviceThatLinks } from './newcomer.ts';
import { type Person, register, runtimeOver, take } from './person.ts';

jest.setTimeout(20_000);

const crypto = nodeCrypto();
const utf8 = (text: string) => new TextEncoder().encode(text);

let constellation: Constellation;
let clock: { ahead: number };
let alice: Person;
let clients: Client[];

beforeEach(async () => {
  clock = { ahead: 0 };
  constellation = await startConstellation({ now: () => Date.now() + clock.ahead });
  clients = [];
  alice = await register(constellation, 'alice');
  clients.push(alice.client);
  await alice.client.connect();
});

afterEach(async () => {
  for (const client of clients) await client.close();
  await constellation.stop();
});

/** Closed after the test. */
function newcomer(name = 'alice', storage = new MemoryStorage()) {
  const device = deviceThatLinks(constellation, name, storage);
  device.linked.then(
    (client) => clients.push(client),
    () => undefined,
  );
  return device;
}

async function letIn(device = newcomer(), options = {}) {
  const request = await alice.client.devices.answerLink(await device.code);
  await request.approve(await device.digits, options);
  return device.linked;
}

describe('linking', () => {
  it('gives no say over the list of devices, unless that is wanted', async () => {
    const tablet = await letIn();
    const refusal = { code: 'not-administrator' };
    expect(() => tablet.account.exportSecret()).toThrow(expect.objectContaining(refusal));
    await tablet.connect();
    await expect(tablet.devices.answerLink(await newcomer().code)).rejects.toMatchObject(refusal);
    const desk = await letIn(newcomer(), { administrator: true });
    expect(desk.account.exportSecret()).toEqual(alice.client.account.exportSecret());
    await desk.devices.remove(tablet.device);
    expect((await alice.client.trust.peer('alice')).devices.map(({ id }) => id)).toEqual([
      alice.client.device,
      desk.device,
    ]);
  });

  it('hands over what the application gives, also after a restart', async () => {
    const device = newcomer();
    const tablet = await letIn(device, { handover: utf8('settings') });
    expect(tablet.devices.handover()).toEqual(utf8('settings'));
    await tablet.close();
    const again = await Client.open({ storage: device.storage.copy(), runtime: runtimeOver(device.network) });
    clients.push(again);
    expect(again.devices.handover()).toEqual(utf8('settings'));
    expect(alice.client.devices.handover()).toBeUndefined();
  });

  it('a device that was let in leaves by itself, and is taken off the list by one that may', async () => {
    const tablet = await letIn();
    await tablet.account.leave();
    await expect(tablet.devices.list()).rejects.toMatchObject({ code: 'login-refused' });
    await alice.client.devices.remove(tablet.device);
    expect((await alice.client.trust.peer('alice')).devices).toHaveLength(1);
  });

  it('E05: a code is read once, for 90 seconds, and not guessed', async () => {
    const device = newcomer();
    const code = await device.code;
    const request = await alice.client.devices.answerLink(code);
    const reused = { code: 'conflict' };
    await expect(alice.client.devices.answerLink(code)).rejects.toMatchObject(reused);
    await request.approve(await device.digits);
    await device.linked;
    await expect(alice.client.devices.answerLink(code)).rejects.toMatchObject(reused);
    const late = newcomer();
    const lateCode = await late.code;
    clock.ahead += LIMITS.linkMs.value;
    const over = { code: 'link-over' };
    await expect(alice.client.devices.answerLink(lateCode)).rejects.toMatchObject(over);
    await expect(late.linked).rejects.toMatchObject(over);
    const guessed = formatLinkCode({ id: systemRandom(16), key: parseLinkCode(lateCode).key });
    await expect(alice.client.devices.answerLink(guessed)).rejects.toMatchObject(over);
    for (const bad of ['', 'sealwire-link-1:', `${lateCode}x`, lateCode.slice(0, -4), 'sealwire-link-2:AAAA'])
      await expect(alice.client.devices.answerLink(bad)).rejects.toMatchObject({ code: 'bad-link-code' });
  });

  it('wrong digits let nobody in, and six of them end it', async () => {
    const device = newcomer();
    const request = await alice.client.devices.answerLink(await device.code);
    const digits = await device.digits;
    const wrong = String((Number(digits) + 1) % 100).padStart(2, '0');
    for (let tries = 0; tries < 6; tries++)
      await expect(request.approve(wrong)).rejects.toMatchObject({ code: 'wrong-digits' });
    await expect(request.approve(digits)).rejects.toMatchObject({ code: 'link-over' });
    expect(await alice.client.devices.list()).toHaveLength(1);
    device.stop.abort();
    await expect(device.linked).rejects.toMatchObject({ code: 'aborted' });
  });

  it('every device is told of a new one and of one that went, once', async () => {
    const tablet = await letIn();
    const added = [{ kind: 'devices-changed', added: [tablet.device], removed: [] }];
    expect(await take(alice.client, 'devices-changed', 1)).toEqual(added);
    await tablet.connect();
    const desk = await letIn();
    for (const client of [alice.client, tablet])
      expect(await take(client, 'devices-changed', 1)).toEqual([
        { kind: 'devices-changed', added: [desk.device], removed: [] },
      ]);
    await alice.client.devices.remove(desk.device);
    for (const client of [alice.client, tablet])
      expect(await take(client, 'devices-changed', 1)).toEqual([
        { kind: 'devices-changed', added: [], removed: [desk.device] },
      ]);
  });

  it('also one that has not looked at its account yet is told of the first that comes', async () => {
    const bob = await register(constellation, 'bob');
    clients.push(bob.client);
    const device = newcomer('bob');
    const request = await bob.client.devices.answerLink(await device.code);
    await request.approve(await device.digits);
    const tablet = await device.linked;
    await bob.client.connect();
    expect(await take(bob.client, 'devices-changed', 1)).toEqual([
      { kind: 'devices-changed', added: [tablet.device], removed: [] },
    ]);
  });

  it('of an account that is not there fails before a code is shown', async () => {
    await expect(newcomer('nobody').linked).rejects.toMatchObject({ code: 'unknown-account' });
  });
});

describe('when something ends in the middle', () => {
  it('the new device dies after it was named: linked again, it is the same device', async () => {
    const storage = new MemoryStorage();
    const first = newcomer('alice', storage);
    const request = await alice.client.devices.answerLink(await first.code);
    const digits = await first.digits;
    // The welcome is never read.
    first.network.up = false;
    await request.approve(digits);
    first.stop.abort();
    await expect(first.linked).rejects.toMatchObject({ code: 'aborted' });
    const tablet = await letIn(newcomer('alice', storage.copy()));
    expect(tablet.device).toBe(request.device);
    expect((await alice.client.trust.peer('alice')).devices).toHaveLength(2);
  });

  it('the answer to the new list is lost: approved again, it goes on', async () => {
    const device = newcomer();
    const request = await alice.client.devices.answerLink(await device.code);
    let lost = 0;
    alice.network.intercept = async (asked, ask) => {
      const answer = await ask();
      if (asked.method !== 'PUT' || !asked.url.includes('/manifests/') || lost++ > 0) return answer;
      alice.network.up = false;
      throw new TypeError('fetch failed');
    };
    const digits = await device.digits;
    await expect(request.approve(digits)).rejects.toMatchObject({ code: 'unreachable' });
    alice.network.up = true;
    await request.approve(digits);
    expect((await device.linked).device).toBe(request.device);
  });
});

describe('a server that stands between the two', () => {
  /** Answers the new device in the name of one of the account, whatever the old one says. */
  function between(device: ReturnType<typeof newcomer>) {
    const privateKey = systemRandom(32);
    const key = crypto.x25519.publicKey(privateKey);
    const salt = systemRandom(16);
    const prefix = utf8('sealwire/link/commitment/v1\0');
    const commitment = crypto.sha256(Uint8Array.from([...prefix, ...key, ...salt]));
    const words = new Map<string, Uint8Array>([
      [`/${LINK_SLOTS.commitment}`, commitment],
      [`/${LINK_SLOTS.reveal}`, LINK_REVEAL.encode({ key, salt })],
    ]);
    device.network.intercept = async (asked, ask) => {
      const answer = await ask();
      const word = [...words].find(([end]) => asked.method === 'GET' && asked.url.endsWith(end));
      if (!asked.url.includes('/links/') || !word || !answer.ok) return answer;
      return Response.json({ message: encodeBase64url(word[1]) });
    };
  }

  it('S47: shows other digits on the two, but for one time in a hundred', async () => {
    const device = newcomer();
    between(device);
    const linking = alice.client.devices.answerLink(await device.code);
    const digits = await device.digits;
    // The entry was sealed for the one in between.
    await expect(linking).rejects.toMatchObject({ code: 'link-forged' });
    expect(digits).toMatch(/^\d\d$/);
    expect(await alice.client.devices.list()).toHaveLength(1);
    device.stop.abort();
    await expect(device.linked).rejects.toBeDefined();
  });

  it('S64: another key than was committed to is refused', async () => {
    const device = newcomer();
    device.network.intercept = async (asked, ask) => {
      const answer = await ask();
      if (!asked.url.endsWith(`/${LINK_SLOTS.reveal}`) || asked.method !== 'GET') return answer;
      const { message } = (await answer.json()) as { message?: string };
      if (!message) return Response.json({});
      const { salt } = LINK_REVEAL.decode(decodeBase64url(message), 'test');
      const key = crypto.x25519.publicKey(systemRandom(32));
      return Response.json({ message: encodeBase64url(LINK_REVEAL.encode({ key, salt })) });
    };
    const stop = new AbortController();
    const linking = alice.client.devices.answerLink(await device.code, { signal: stop.signal });
    await expect(device.linked).rejects.toMatchObject({ code: 'link-forged' });
    stop.abort();
    await expect(linking).rejects.toMatchObject({ code: 'aborted' });
  });

  it('S64: a nonce of another length moves the words of what the digits are made of: the key is not shown to it', async () => {
    const device = newcomer();
    let revealed = false;
    alice.network.intercept = async (asked, ask) => {
      revealed ||= asked.url.endsWith(`/old/${LINK_SLOTS.reveal}`);
      const answer = await ask();
      if (!asked.url.endsWith(`/${LINK_SLOTS.nonce}`) || asked.method !== 'GET') return answer;
      const { message } = (await answer.json()) as { message?: string };
      if (!message) return Response.json({});
      return Response.json({ message: encodeBase64url(decodeBase64url(message).subarray(1)) });
    };
    const code = await device.code;
    await expect(alice.client.devices.answerLink(code)).rejects.toMatchObject({ code: 'link-forged' });
    expect(revealed).toBe(false);
    device.stop.abort();
    await expect(device.linked).rejects.toBeDefined();
  });

  it.each([LINK_SLOTS.nonce, LINK_SLOTS.entry])('changes word %i of the new device: nobody is let in', async (slot) => {
    const device = newcomer();
    alice.network.intercept = async (asked, ask) => {
      const answer = await ask();
      if (!asked.url.endsWith(`/${slot}`) || asked.method !== 'GET') return answer;
      const { message } = (await answer.json()) as { message?: string };
      if (!message) return Response.json({});
      const changed = decodeBase64url(message).map((byte, at) => (at === 3 ? byte ^ 1 : byte));
      return Response.json({ message: encodeBase64url(changed) });
    };
    const refused = await alice.client.devices
      .answerLink(await device.code)
      .then(
        (request: LinkRequest) => request.approve('00'),
        (error: unknown) => Promise.reject(error),
      )
      .catch((error: { code: string }) => error.code);
    expect(refused).toBe('link-forged');
    expect(await alice.client.devices.list()).toHaveLength(1);
    device.stop.abort();
    await expect(device.linked).rejects.toBeDefined();
  });
});
