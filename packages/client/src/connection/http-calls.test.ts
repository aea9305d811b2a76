/** Requests over a fetch in the test's hands: problems, limits, time-outs (cases L02, H16), and a server that means harm. */
import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { AccountAnswer } from '@sealwire/wire/http';
import { FakeSockets } from '../testing/fake-sockets.ts';
import { FakeTime, settle } from '../testing/fake-time.ts';
import { type Call, HttpCalls } from './http-calls.ts';

const GET: Call = { method: 'GET', path: '/v1/account' };
const good = () => Response.json({ address: 'sip:alice@example.org', createdAt: 1 });
const problem = (status: number, code: string, headers: Record<string, string> = {}) =>
  Response.json(
    { type: 'about:blank', title: 'no', status, code, retryable: true, detail: 'because' },
    { status, headers },
  );

function setUp(answers: (() => Response | Promise<Response>)[], lifetime?: AbortSignal) {
  const time = new FakeTime();
  const requests: Request[] = [];
  const http = new HttpCalls(
    'http://server',
    {
      crypto: nodeCrypto(),
      random: (length) => new Uint8Array(length),
      now: time.now,
      timers: time,
      connectSocket: new FakeSockets().connect,
      fetch: async (input, init) => {
        requests.push(new Request(input, init));
        return answers.shift()!();
      },
    },
    lifetime,
  );
  return { http, time, requests };
}

/** A body of pieces up to a megabyte; how many bytes of it somebody has asked for. */
function drip(piece: () => Uint8Array, highWaterMark = 1) {
  let bytes = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const next = piece();
        bytes += next.length;
        if (bytes > 1_024 * 1_024) controller.close();
        else controller.enqueue(next);
      },
    },
    { highWaterMark },
  );
  return { body, served: () => bytes };
}

/** One byte, and never another. */
function stalled(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.enqueue(Uint8Array.of(1)) });
}

describe('HttpCalls', () => {
  it('sends JSON with its token, and gives back what the schema makes of the answer', async () => {
    const { http, requests, time } = setUp([good]);
    const call: Call = { method: 'POST', path: '/v1/accounts', body: { a: 1 }, token: 'secret' };
    expect(await http.json(call, AccountAnswer)).toEqual({ address: 'sip:alice@example.org', createdAt: 1 });
    expect(requests[0]!.url).toBe('http://server/v1/accounts');
    expect(requests[0]!.headers.get('authorization')).toBe('Bearer secret');
    expect(await requests[0]!.json()).toEqual({ a: 1 });
    expect(time.pending).toBe(0);
  });

  it.each([429, 503])('L02: %s with Retry-After is waited out, then asked again', async (status) => {
    const { http, time, requests } = setUp([() => problem(status, 'unavailable', { 'retry-after': '3' }), good]);
    const answer = http.bytes(GET);
    await time.pass(2_999);
    expect(requests).toHaveLength(1);
    await time.pass(1);
    await answer;
    expect(requests).toHaveLength(2);
  });

  it('L02: a Retry-After beyond patience comes back with the error', async () => {
    const { http, requests } = setUp([() => problem(429, 'too-many-requests', { 'retry-after': '600' })]);
    await expect(http.bytes(GET)).rejects.toMatchObject({
      code: 'too-many-requests',
      retryable: true,
      retryAfterMs: 600_000,
      message: 'because',
    });
    expect(requests).toHaveLength(1);
  });

  it('L02: gives up after a few refusals, without a time given too', async () => {
    const { http, time, requests } = setUp(Array.from({ length: 9 }, () => () => problem(503, 'unavailable')));
    const answer = http.bytes(GET);
    const refused = expect(answer).rejects.toMatchObject({ code: 'unavailable' });
    await time.pass(60_000);
    await refused;
    expect(requests).toHaveLength(4);
  });

  it('other problems come back at once, with the server’s code', async () => {
    const { http } = setUp([() => problem(409, 'name-taken')]);
    await expect(http.bytes(GET)).rejects.toMatchObject({ code: 'name-taken' });
  });

  it('an answer that is no problem document: the status decides', async () => {
    const { http } = setUp([
      () => new Response('<html>', { status: 502 }),
      () => new Response('<html>', { status: 418 }),
    ]);
    await expect(http.bytes(GET)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    await expect(http.bytes(GET)).rejects.toMatchObject({ code: 'bad-answer', retryable: false });
  });

  it('an answer of another form is refused, whatever it is', async () => {
    const { http } = setUp([() => new Response('not json'), () => Response.json({ address: 1 })]);
    for (let answer = 0; answer < 2; answer++)
      await expect(http.json(GET, AccountAnswer)).rejects.toMatchObject({ code: 'bad-answer' });
  });

  it('asks for no compression, and follows nowhere', async () => {
    const { http, requests } = setUp([good]);
    await http.bytes(GET);
    expect(requests[0]!.headers.get('accept-encoding')).toBe('identity');
    expect(requests[0]!.redirect).toBe('error');
  });

  describe('a body that does not end', () => {
    const KiB = 1_024;
    const tooLarge = { code: 'bad-answer', message: expect.stringContaining(`more than ${64 * KiB} bytes`) };

    it.each([200, 400])('is read up to the limit of its call, and no further (answer %s)', async (status) => {
      const { body, served } = drip(() => new Uint8Array(4 * KiB));
      const { http, time } = setUp([() => new Response(body, { status })]);
      await expect(http.bytes(GET)).rejects.toMatchObject(tooLarge);
      // One piece may be on its way.
      expect(served()).toBeLessThanOrEqual(64 * KiB + 2 * 4 * KiB);
      expect(time.pending).toBe(0);
    });

    it('one that says beforehand that it is too large is not read at all', async () => {
      const { body, served } = drip(() => new Uint8Array(1), 0);
      const { http } = setUp([() => new Response(body, { headers: { 'content-length': '65537' } })]);
      await expect(http.bytes(GET)).rejects.toMatchObject(tooLarge);
      expect(served()).toBe(0);
    });

    it('a body of exactly the limit is taken; a call may have a limit of its own', async () => {
      const { http } = setUp([
        () => new Response(new Uint8Array(64 * KiB).fill(7)),
        () => new Response(new Uint8Array(65 * KiB).fill(7)),
        () => new Response(new Uint8Array(11)),
      ]);
      expect(await http.bytes(GET)).toEqual(new Uint8Array(64 * KiB).fill(7));
      expect(await http.bytes({ ...GET, answerBytes: 65 * KiB })).toEqual(new Uint8Array(65 * KiB).fill(7));
      await expect(http.bytes({ ...GET, answerBytes: 10 })).rejects.toMatchObject({ code: 'bad-answer' });
    });

    it('one that stalls is given up in time, counted from the request', async () => {
      const { http, time } = setUp([() => new Response(stalled())]);
      const answer = expect(http.bytes(GET)).rejects.toMatchObject({ code: 'unreachable', retryable: true });
      await time.pass(29_999);
      expect(time.pending).toBe(1);
      await time.pass(1);
      await answer;
      expect(time.pending).toBe(0);
    });

    it('one that stalls ends with "aborted" by the caller’s signal, and by the end of the client', async () => {
      for (const which of ['caller', 'lifetime'] as const) {
        const ending = new AbortController();
        const { http, time } = setUp([() => new Response(stalled())], which === 'lifetime' ? ending.signal : undefined);
        const call = which === 'caller' ? { ...GET, signal: ending.signal } : GET;
        const answer = expect(http.bytes(call)).rejects.toMatchObject({ code: 'aborted' });
        await settle();
        ending.abort();
        await answer;
        expect(time.pending).toBe(0);
      }
    });
  });

  it('a connection that is cut is repeated once, where twice is as good as once', async () => {
    const cut = (code: string) => () =>
      Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error('cut'), { code }) }));
    const post: Call = { method: 'POST', path: '/v1/accounts', body: {} };
    for (const call of [GET, { ...post, repeatable: true }]) {
      const { http, requests } = setUp([cut('ECONNRESET'), good]);
      await http.bytes(call);
      expect(requests).toHaveLength(2);
    }
    for (const [call, code] of [
      [post, 'UND_ERR_SOCKET'],
      [GET, 'ECONNREFUSED'],
    ] as const)
      await expect(setUp([cut(code), good]).http.bytes(call)).rejects.toMatchObject({ code: 'unreachable' });
    await expect(setUp([cut('EPIPE'), cut('EPIPE'), good]).http.bytes(GET)).rejects.toMatchObject({
      code: 'unreachable',
    });
  });

  it('no network: unreachable, in one line that names the server', async () => {
    const { http } = setUp([() => Promise.reject(new TypeError('fetch failed'))]);
    await expect(http.bytes(GET)).rejects.toMatchObject({
      code: 'unreachable',
      retryable: true,
      message: expect.stringContaining('http://server'),
    });
  });

  it('ends with "aborted" by its own signal, and by the end of the client', async () => {
    const caller = new AbortController();
    const { http } = setUp([() => Promise.reject(new DOMException('aborted', 'AbortError'))]);
    caller.abort();
    await expect(http.bytes({ ...GET, signal: caller.signal })).rejects.toMatchObject({ code: 'aborted' });
    const lifetime = new AbortController();
    const other = setUp([() => problem(503, 'unavailable', { 'retry-after': '10' }), good], lifetime.signal);
    const waiting = expect(other.http.bytes(GET)).rejects.toMatchObject({ code: 'aborted' });
    await settle();
    lifetime.abort();
    await waiting;
    expect(other.requests).toHaveLength(1);
    expect(other.time.pending).toBe(0);
  });
});
