import { describe, expect, it } from '@jest/globals';
import { digestHash } from '@sealwire/access/digest-hash';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { openMemoryStore } from '@sealwire/store/memory';
import fc from 'fast-check';
import { responseTo } from '../testing/digest-client.ts';
import { crypto } from '../testing/fixture.ts';
import { challenge, isDigest, parseDigest } from './digest-header.ts';
import { createNonceBook, NONCE_LIFE_MS } from './digest-nonce.ts';
import { digestResponse } from './digest-response.ts';

describe('the response', () => {
  // RFC 7616 section 3.9.1.
  const question = {
    method: 'GET',
    uri: '/dir/index.html',
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
    nc: '00000001',
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  };
  it.each([
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
  ] as const)('RFC 7616 section 3.9.1, %s: the server and the client of these tests', (algorithm, expected) => {
    const ha1 = digestHash(crypto, algorithm, 'Mufasa:http-auth@example.org:Circle of Life');
    expect(digestResponse(crypto, algorithm, ha1, question)).toBe(expected);
    const asked = { realm: 'http-auth@example.org', nonce: question.nonce, algorithm };
    const answer = { username: 'Mufasa', password: 'Circle of Life', ...question, nc: 1 };
    expect(responseTo(asked, answer)).toBe(expected);
  });

  it('says the same as the client of these tests, whatever the texts', () => {
    const text = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(text, text, text, text, fc.integer({ min: 1, max: 0xffffffff }), (user, password, uri, nonce, nc) => {
        const count = nc.toString(16).padStart(8, '0');
        const ha1 = digestHash(crypto, 'SHA-256', `${user}:r:${password}`);
        const asked = { method: 'POST', uri, nonce, nc: count, cnonce: 'c' };
        const answer = { username: user, password, uri, nc, cnonce: 'c' };
        const expected = responseTo({ realm: 'r', nonce, algorithm: 'SHA-256' }, answer);
        expect(digestResponse(crypto, 'SHA-256', ha1, asked)).toBe(expected);
      }),
    );
  });
});

describe('the header', () => {
  const good = 'Digest username="alice", realm="example.org", nonce="n", uri="/lime", response="r", algorithm=SHA-256';

  it('is read with its parameters in any order, any case, any spacing, quoted or not', () => {
    const text =
      'dIGEST  RESPONSE="r",uri="/lime" ,\tnonce=n, Realm = "a \\"quoted\\" realm",username="alice",qop="auth", nc=00000001,opaque=""';
    expect(parseDigest(text)).toEqual({
      username: 'alice',
      realm: 'a "quoted" realm',
      nonce: 'n',
      uri: '/lime',
      response: 'r',
      algorithm: 'MD5',
      qop: 'auth',
      cnonce: undefined,
      nc: '00000001',
    });
  });

  it.each([
    ['a parameter twice', `${good}, username="bob"`],
    ['the same in another case', `${good}, Username="bob"`],
    ['an open quote', `${good}, cnonce="x`],
    ['text between parameters', `${good}; cnonce="x"`],
    ['no equals sign', `${good}, cnonce`],
    ['a user by hash', `${good}, userhash=true`],
    ['a user in another charset', `${good}, username*=UTF-8''alice`],
    ['no response', good.replace(', response="r"', '')],
    ['an empty nonce', good.replace('nonce="n"', 'nonce=""')],
    ['nothing at all', 'Digest '],
    ['more than any honest one', `${good}, cnonce="${'x'.repeat(5_000)}"`],
  ])('is refused with %s', (_, text) => {
    expect(parseDigest(text)).toBeUndefined();
  });

  it('S81: whatever the bytes, it is read or refused, and that at once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', '"', '\\', '=', ',', ' ', '*', 'username', 'nonce'), { maxLength: 400 }),
        (parts) => {
          const text = `Digest ${parts.join('')}`;
          expect(isDigest(text)).toBe(true);
          parseDigest(text);
        },
      ),
    );
  });

  it('of a challenge can be read by the same grammar', () => {
    const text = challenge('example.org', 'SHA-256', 'abc', true);
    expect(text).toBe('Digest realm="example.org", qop="auth", algorithm=SHA-256, nonce="abc", stale=true');
  });
});

describe('nonces', () => {
  function setUp() {
    const store = openMemoryStore();
    const clock = { now: 1_800_000_000_000 };
    const process = (seed: string, realm = 'example.org', key = 'key') =>
      createNonceBook({
        crypto,
        random: seededRandom(seed),
        now: () => clock.now,
        key: crypto.sha256(Buffer.from(key)),
        realm,
        once: store.once,
      });
    return { store, clock, process };
  }

  it('S70: are good once for each count, and counts only grow', async () => {
    const book = setUp().process('a');
    const nonce = book.make();
    expect(await book.use(nonce, 1)).toBe(true);
    for (const [count, good] of [
      [1, false],
      [2, true],
      [2, false],
      [9, true],
      [5, false],
      [10, true],
    ] as const)
      expect([count, await book.use(nonce, count)]).toEqual([count, good]);
  });

  it('S70: of one process are good at another, but only at the one that has them first', async () => {
    const { process } = setUp();
    const [here, there] = [process('a'), process('b')];
    const [first, second] = [here.make(), here.make()];
    expect(await there.use(first, 1)).toBe(true);
    expect([await here.use(first, 1), await here.use(first, 2)]).toEqual([false, false]);
    expect(await there.use(first, 2)).toBe(true);
    const race = await Promise.all([here.use(second, 1), there.use(second, 1)]);
    expect(race.sort()).toEqual([false, true]);
  });

  it('S70: are not good again after a restart', async () => {
    const { process } = setUp();
    const before = process('a');
    const nonce = before.make();
    expect(await before.use(nonce, 1)).toBe(true);
    expect(await process('c').use(nonce, 2)).toBe(false);
  });

  it('end after five minutes, and are not good before their time', async () => {
    const { clock, process } = setUp();
    const book = process('a');
    const [early, late] = [book.make(), book.make()];
    clock.now += NONCE_LIFE_MS;
    expect(await book.use(early, 1)).toBe(true);
    clock.now += 1;
    expect([await book.use(early, 2), await book.use(late, 1)]).toEqual([false, false]);
    const fromTheFuture = book.make();
    clock.now -= 60_001;
    expect(await book.use(fromTheFuture, 1)).toBe(false);
  });

  it('of another key or realm, cut, changed or invented are none', async () => {
    const { process } = setUp();
    const book = process('a');
    const nonce = book.make();
    const changed = `${nonce.startsWith('A') ? 'B' : 'A'}${nonce.slice(1)}`;
    const foreign = [process('a', 'example.com').make(), process('a', 'example.org', 'other').make()];
    for (const bad of [...foreign, changed, nonce.slice(0, -4), `${nonce}AAAA`, '', 'x', '!', nonce.toLowerCase()])
      expect([bad, await book.use(bad, 1)]).toEqual([bad, false]);
    expect(await book.use(nonce, 1)).toBe(true);
  });

  it('a store that fails leaves the nonce open for a later try, which asks the store again', async () => {
    const { store, clock } = setUp();
    let fails = true;
    const book = createNonceBook({
      crypto,
      random: seededRandom('f'),
      now: () => clock.now,
      key: new Uint8Array(32).fill(1),
      realm: 'r',
      once: { take: (...args) => (fails ? Promise.reject(new Error('gone')) : store.once.take(...args)) },
    });
    const nonce = book.make();
    await expect(book.use(nonce, 1)).rejects.toThrow('gone');
    fails = false;
    expect(await book.use(nonce, 1)).toBe(true);
  });

  it('cost one write each, however often they are used', async () => {
    const { store, clock } = setUp();
    let writes = 0;
    const once = {
      take: (...args: Parameters<typeof store.once.take>) => {
        writes++;
        return store.once.take(...args);
      },
    };
    const random = seededRandom('w');
    const book = createNonceBook({ crypto, random, now: () => clock.now, key: new Uint8Array(32), realm: 'r', once });
    const nonce = book.make();
    for (let count = 1; count <= 100; count++) expect(await book.use(nonce, count)).toBe(true);
    expect(writes).toBe(1);
  });
});
