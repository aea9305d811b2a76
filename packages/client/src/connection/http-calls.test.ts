/** Requests over a fetch in the test's hands: problems, limits, time-outs (cases L02, H16). */
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
    const { http } = setUp([
      () => new Response('not json'),
      () => Response.json({ address: 1 }),
      () => new Response('x', { headers: { 'content-length': '99999999' } }),
    ]);
    for (const code of ['bad-answer', 'bad-answer', 'unreachable'])
      await expect(http.json(GET, AccountAnswer)).rejects.toMatchObject({ code });
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
