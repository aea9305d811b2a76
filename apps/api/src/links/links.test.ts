/** The channels by which devices link: over HTTP, and between two servers (docs/spec/linking.md section 2). */
import { afterEach, describe, expect, it } from '@jest/globals';
import { MemoryHub, openMemoryBus } from '@sealwire/bus/memory';
import { systemRandom } from '@sealwire/crypto/random';
import { silentLog } from '@sealwire/service/log';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { LIMITS } from '@sealwire/wire/limits';
import { LINK_MESSAGE, LINK_SLOTS, LINKS_CHANNEL } from '@sealwire/wire/linking';
import { type Fixture, startFixture } from '../testing/fixture.ts';
import { LinkChannels } from './link-channels.ts';

const word = (text: string) => ({ message: Buffer.from(text).toString('base64url') });
const { commitment, nonce, reveal, entry, welcome } = LINK_SLOTS;

let fixture: Fixture | undefined;
afterEach(async () => {
  await fixture?.close();
  fixture = undefined;
});

async function start(settings: Parameters<typeof startFixture>[0] = {}) {
  fixture = await startFixture(settings);
  const { auth } = await fixture.member('alice');
  return { call: fixture.call, clock: fixture.clock, auth };
}

describe('a channel', () => {
  it('keeps what each side leaves for the other, once', async () => {
    const { call, auth, clock } = await start();
    const opened = await call('POST', '/v1/links');
    expect([opened.status, opened.json.expiresAt]).toEqual([201, clock.now + LIMITS.linkMs.value]);
    const path = `/v1/links/${opened.json.id}`;
    expect((await call('GET', `${path}/${commitment}`)).json).toEqual({});
    for (const slot of [commitment, reveal, welcome])
      expect((await call('PUT', `${path}/old/${slot}`, word(`old ${slot}`), auth)).status).toBe(204);
    for (const slot of [nonce, entry])
      expect((await call('PUT', `${path}/new/${slot}`, word(`new ${slot}`))).status).toBe(204);
    expect((await call('GET', `${path}/${reveal}`)).json).toEqual(word('old 3'));
    expect((await call('GET', `${path}/${entry}`)).json).toEqual(word('new 4'));
    expect((await call('PUT', `${path}/new/${entry}`, word('new 4'))).status).toBe(204);
    expect((await call('PUT', `${path}/new/${entry}`, word('other'))).json).toMatchObject({ code: 'conflict' });
    expect((await call('GET', `${path}/${entry}`)).json).toEqual(word('new 4'));
  });

  it('takes the words of the account’s device from a device with a token alone, each side its own', async () => {
    const { call, auth } = await start();
    const path = `/v1/links/${(await call('POST', '/v1/links')).json.id}`;
    expect((await call('PUT', `${path}/old/${commitment}`, word('x'))).status).toBe(401);
    for (const [side, slot] of [
      ['old', nonce],
      ['old', 0],
      ['old', 6],
      ['old', 'x'],
      ['old', '01'],
      ['new', commitment],
      ['new', welcome],
    ])
      expect([side, slot, (await call('PUT', `${path}/${side}/${slot}`, word('x'), auth)).status]).toEqual([
        side,
        slot,
        404,
      ]);
    const large = { message: encodeBase64url(new Uint8Array(LIMITS.linkMessageBytes.value + 1)) };
    expect((await call('PUT', `${path}/new/${nonce}`, large)).status).toBe(400);
    for (const id of ['x', encodeBase64url(systemRandom(16)), encodeBase64url(systemRandom(17))])
      expect((await call('GET', `/v1/links/${id}/${nonce}`)).json).toMatchObject({ code: 'not-found' });
  });

  it('ends 90 s after the last word', async () => {
    const { call, clock } = await start();
    const path = `/v1/links/${(await call('POST', '/v1/links')).json.id}`;
    clock.now += LIMITS.linkMs.value - 1;
    expect((await call('PUT', `${path}/new/${nonce}`, word('x'))).status).toBe(204);
    clock.now += LIMITS.linkMs.value - 1;
    expect((await call('GET', `${path}/${nonce}`)).status).toBe(200);
    clock.now += 1;
    expect((await call('GET', `${path}/${nonce}`)).status).toBe(404);
    expect((await call('PUT', `${path}/new/${entry}`, word('x'))).status).toBe(404);
  });

  it('E05: six codes in two minutes, and six answers', async () => {
    const { call, auth, clock } = await start({ LINKS_PER_ADDRESS: 6, LINKS_PER_ACCOUNT: 6 });
    const answers = [];
    for (let n = 0; n < 7; n++) {
      const { status, json } = await call('POST', '/v1/links');
      answers.push(status);
      if (status === 201) await call('PUT', `/v1/links/${json.id}/old/${commitment}`, word('x'), auth);
    }
    expect(answers).toEqual([201, 201, 201, 201, 201, 201, 429]);
    const guessed = `/v1/links/${encodeBase64url(systemRandom(16))}/old/${commitment}`;
    expect((await call('PUT', guessed, word('x'), auth)).status).toBe(429);
    clock.now += 2 * 60_000;
    expect((await call('POST', '/v1/links')).status).toBe(201);
  });
});

describe('several servers', () => {
  const hub = new MemoryHub();
  const id = (answer: { id: Uint8Array }) => answer.id;

  async function server(now: () => number = () => 1_000) {
    const bus = openMemoryBus(hub);
    const channels = new LinkChannels({ bus, random: systemRandom, now, log: silentLog });
    const listening = await channels.listen();
    return { bus, channels, listening };
  }

  it('tell each other what they are given; what was lost is said again', async () => {
    const [one, two] = [await server(), await server()];
    const opened = id(one.channels.open());
    await settled();
    two.channels.leave(opened, commitment, Uint8Array.of(1));
    await settled();
    expect(one.channels.read(opened, commitment)).toEqual(Uint8Array.of(1));
    await two.listening.unsubscribe();
    one.channels.leave(opened, nonce, Uint8Array.of(2));
    await settled();
    expect(two.channels.read(opened, nonce)).toBeUndefined();
    await two.channels.listen();
    one.channels.leave(opened, nonce, Uint8Array.of(2));
    await settled();
    expect(two.channels.read(opened, nonce)).toEqual(Uint8Array.of(2));
  });

  it('hold no more than a thousand, whoever opened them, and drop what they do not understand', async () => {
    let now = 1_000;
    const [one, two] = [await server(() => now), await server(() => now)];
    await two.bus.publish(LINKS_CHANNEL, Uint8Array.of(255));
    for (let n = 0; n < LIMITS.linksOpen.value; n++) two.channels.open();
    await settled();
    const full = expect.objectContaining({ code: 'unavailable' });
    for (const { channels } of [one, two]) expect(() => channels.open()).toThrow(full);
    const more = { id: systemRandom(16), slot: 0, message: new Uint8Array(0), expiresAt: now + 10 };
    await two.bus.publish(LINKS_CHANNEL, LINK_MESSAGE.encode(more));
    await settled();
    expect(() => one.channels.read(more.id, nonce)).toThrow(expect.objectContaining({ code: 'not-found' }));
    now += LIMITS.linkMs.value;
    expect(one.channels.open()).toMatchObject({ expiresAt: now + LIMITS.linkMs.value });
  });
});

const settled = () => new Promise((resolve) => setImmediate(resolve));
