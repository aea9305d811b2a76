/** Tokens and clocks: this machine's clock need not agree with the server's, nor with itself (docs/operations/clocks.md). */
import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { parseDeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { FakeSockets } from '../testing/fake-sockets.ts';
import { FakeTime } from '../testing/fake-time.ts';
import { AccessTokens } from './access-tokens.ts';
import { HttpCalls } from './http-calls.ts';

const DAY = 86_400_000;
const LIFE = LIMITS.accessTokenMs.value;
const crypto = nodeCrypto();

/** A client whose clock is `ahead` of the server's. */
function setUp(ahead: number) {
  const time = new FakeTime();
  const server = time.now;
  const now = () => time.now() + clock.ahead;
  const clock = { ahead };
  let logins = 0;
  const http = new HttpCalls('http://server', {
    crypto,
    random: (length) => new Uint8Array(length),
    now,
    timers: time,
    connectSocket: new FakeSockets().connect,
    fetch: async (input) => {
      const expiresAt = server() + LIFE;
      if (String(input).endsWith('/challenge')) return Response.json({ challenge: 'AAAA', expiresAt });
      return Response.json({ token: `token-${++logins}`, expiresAt });
    },
  });
  const device = parseDeviceId('sip:alice@example.org;gr=urn:uuid:1');
  const identity = { origin: 'http://server', apiPath: '/v1', device, loginSeed: new Uint8Array(32).fill(1) };
  const tokens = new AccessTokens(http, identity, crypto, now, async () => true);
  return { time, clock, current: async () => (await tokens.current()).token };
}

describe('a token', () => {
  it.each([
    ['agrees with', 0],
    ['is five years ahead of', 1_826 * DAY],
    ['is an hour ahead of', DAY / 24],
    ['is an hour behind', -DAY / 24],
    ['is five years behind', -1_826 * DAY],
  ])('serves until shortly before its end, where the clock of this machine %s the server’s', async (_, ahead) => {
    const { time, current } = setUp(ahead);
    expect([await current(), await current()]).toEqual(['token-1', 'token-1']);
    await time.pass(LIFE - 61_000);
    expect(await current()).toBe('token-1');
    await time.pass(2_000);
    expect(await current()).toBe('token-2');
  });

  it.each([DAY / 24, 3_652 * DAY])(
    'is asked for anew after this clock was set back by %d ms, or forward',
    async (ms) => {
      const { clock, current } = setUp(0);
      expect(await current()).toBe('token-1');
      clock.ahead -= ms;
      expect(await current()).toBe('token-2');
      clock.ahead += ms;
      expect(await current()).toBe('token-3');
    },
  );
});
