/** The administrator's door on the network: where it may be, and what it takes. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { silentLog } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { type AdminListening, listenForAdmin } from './admin-address.ts';
import type { AdminCaller } from './http-door.ts';
import { Problem } from './problem.ts';

let listening: AdminListening | undefined;
const callers: AdminCaller[] = [];
afterEach(async () => {
  await listening?.close();
  listening = undefined;
  callers.length = 0;
});

const listenAt = (host: string) =>
  listenForAdmin({
    address: { host, port: 0 },
    commands: {
      '/v1/admin/echo': async (body, caller) => {
        callers.push(caller);
        if (caller.via === 'address' && caller.authorization === undefined) throw new Problem('unauthorized');
        return { body };
      },
    },
    notes: { log: silentLog, metrics: createMetrics() },
    context: undefined,
    limits: {},
  });

describe('the administrator’s address', () => {
  it('T200: listens beyond this machine with TLS, or not at all', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'chat.example.org', '127.0.0.1.evil.example'])
      await expect(listenAt(host)).rejects.toThrow(/^ADMIN_LISTEN: .* is beyond this machine, and there is no TLS — /);
    listening = await listenAt('127.0.0.1');
  });

  it('hands each order its token, and answers in JSON', async () => {
    listening = await listenAt('127.0.0.1');
    const headers = { 'content-type': 'application/json', authorization: 'Bearer abc' };
    const answer = await fetch(`${listening.url}/v1/admin/echo`, { method: 'POST', headers, body: '{"a":1}' });
    expect([answer.status, await answer.json()]).toEqual([200, { body: { a: 1 } }]);
    expect(callers).toEqual([{ via: 'address', authorization: 'Bearer abc' }]);
  });

  it('T200: takes no order of a page, none without a token, and serves nothing of the clients', async () => {
    listening = await listenAt('127.0.0.1');
    const ask = async (more: Record<string, string>, path = '/v1/admin/echo') => {
      const headers = { 'content-type': 'application/json', ...more };
      return (await fetch(`${listening!.url}${path}`, { method: 'POST', headers, body: '{}' })).status;
    };
    expect(await ask({ origin: 'https://chat.example.org', authorization: 'Bearer abc' })).toBe(403);
    expect(callers).toEqual([]);
    expect(await ask({})).toBe(401);
    expect(await ask({ authorization: 'Bearer abc' }, '/v1/accounts')).toBe(404);
    expect(await ask({ authorization: 'Bearer abc', 'content-type': 'text/plain' })).toBe(415);
  });
});
