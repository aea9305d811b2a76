import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { ERRORS, type ErrorCode } from '@sealwire/wire/errors';
import { ProblemAnswer } from '@sealwire/wire/http';
import { z } from 'zod';
import { clientAddress, limiterKey, networkKey, trustedProxies } from './client-address.ts';
import { Problem, problemOf } from './problem.ts';

function request(remoteAddress: string, forwarded?: string): IncomingMessage {
  return {
    socket: { remoteAddress },
    headers: forwarded ? { 'x-forwarded-for': forwarded } : {},
  } as unknown as IncomingMessage;
}

describe('H12: whose request it is', () => {
  const proxies = trustedProxies(['10.0.0.0/8', 'fd00::/8', '::1']);
  it.each([
    ['a stranger’s X-Forwarded-For is ignored', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['a trusted proxy is believed', '10.1.2.3', '198.51.100.1', '198.51.100.1'],
    ['only as far as trusted proxies wrote it', '10.1.2.3', '1.1.1.1, 198.51.100.1, 10.9.9.9', '198.51.100.1'],
    ['IPv4 in IPv6', '::ffff:10.1.2.3', '::ffff:198.51.100.1', '198.51.100.1'],
    ['IPv4 with a port', '10.1.2.3', '198.51.100.7:40001', '198.51.100.7'],
    ['IPv6 in brackets', '10.1.2.3', '[2001:db8::1]', '2001:db8::1'],
    ['IPv6 in brackets with a port', '10.1.2.3', '198.51.100.1, [2001:DB8::1]:443', '2001:db8::1'],
    ['brackets around nonsense', '10.1.2.3', '[unknown]:443', '10.1.2.3'],
    ['nonsense ends the chain', '10.1.2.3', '198.51.100.1, unknown', '10.1.2.3'],
    ['a proxy that names nobody', 'fd00::1', undefined, 'fd00::1'],
  ])('%s', (_, peer, forwarded, expected) => {
    expect(clientAddress(request(peer, forwarded), proxies)).toBe(expected);
  });

  it('a proxy that names no address is told of, once', () => {
    const told: string[] = [];
    const watched = trustedProxies(['10.0.0.0/8'], { warn: (event) => void told.push(event) });
    for (const forwarded of [undefined, '198.51.100.1', 'unknown', 'unknown'])
      clientAddress(request('10.1.2.3', forwarded), watched);
    expect(told).toEqual(['forwarded-for']);
  });

  it.each([
    ['IPv4 in IPv6', '::ffff:192.0.2.1', '192.0.2.1'],
    ['in capitals', '::FFFF:192.0.2.1', '192.0.2.1'],
    ['in hexadecimal', '::ffff:c000:201', '192.0.2.1'],
    ['written out', '0:0:0:0:0:FFFF:C000:0201', '192.0.2.1'],
    ['behind a translator', '64:ff9b::c000:201', '192.0.2.1'],
    ['IPv6 with zeros', '2001:0DB8:0001:0002:0000:0000:0000:0001', '2001:db8:1:2::/64'],
    ['with a zone', 'fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['with IPv4 at its end', '2001:db8:1:2::192.0.2.1', '2001:db8:1:2::/64'],
    ['no address', 'unknown', 'unknown'],
  ])('I08: another spelling is no other customer: %s', (_, address, key) => {
    expect(limiterKey(address)).toBe(key);
  });

  it('I08: a trusted proxy is one in any spelling', () => {
    const proxies = trustedProxies(['10.0.0.0/8']);
    expect(clientAddress(request('::ffff:a01:203', '198.51.100.1'), proxies)).toBe('198.51.100.1');
    expect(clientAddress(request('10.1.2.3', '198.51.100.1, ::FFFF:a01:203'), proxies)).toBe('198.51.100.1');
  });

  it('I08: an IPv6 /48, in which one customer may have many /64, is one network', () => {
    expect(networkKey('2001:db8:1:2::1')).toBe(networkKey('2001:db8:1:ffff::1'));
    expect(networkKey('2001:db8:1:2::1')).not.toBe(networkKey('2001:db8:2:2::1'));
    expect(networkKey('::ffff:c000:201')).toBe('192.0.2.1');
  });

  it('I08: one IPv6 /64 is one customer', () => {
    expect(limiterKey('2001:db8:1:2:3:4:5:6')).toBe(limiterKey('2001:db8:1:2::1'));
    expect(limiterKey('2001:db8:1:2::1')).not.toBe(limiterKey('2001:db8:1:3::1'));
    expect(limiterKey('::1')).toBe('0:0:0:0::/64');
    expect(limiterKey('192.0.2.1')).toBe('192.0.2.1');
  });
});

describe('problems', () => {
  it.each(Object.keys(ERRORS) as ErrorCode[])('%s is a documented answer', (code) => {
    const problem = new Problem(code, { detail: 'why', errors: [{ pointer: '/a', detail: 'bad' }] });
    const body = ProblemAnswer.parse(JSON.parse(problem.body()));
    expect(body).toMatchObject({ code, status: ERRORS[code].status, retryable: ERRORS[code].retryable });
  });

  it('429 and 503 say when to come back, in whole seconds', () => {
    expect(new Problem('too-many-requests', { retryAfterSeconds: 0.2 }).headers()['retry-after']).toBe('1');
    expect(new Problem('unavailable').headers()['retry-after']).toBe('2');
    expect(new Problem('conflict').headers()['retry-after']).toBeUndefined();
  });

  it('errors of ports, of the framework and of validation keep their meaning; the rest says nothing', () => {
    const kind = (kind: string) => Object.assign(new Error('db at 10.0.0.1'), { kind });
    expect(problemOf(kind('unavailable')).code).toBe('unavailable');
    expect(problemOf(kind('conflict')).code).toBe('conflict');
    expect(problemOf(kind('corrupt')).code).toBe('internal');
    expect(problemOf(Object.assign(new Error('x'), { statusCode: 413, code: 'FST_ERR_CTP_BODY_TOO_LARGE' })).code).toBe(
      'payload-too-large',
    );
    expect(problemOf(new Error('secret')).body()).not.toContain('secret');
    expect(problemOf(kind('unavailable')).body()).not.toContain('10.0.0.1');
    expect(problemOf('thrown text').code).toBe('internal');
  });

  it('what a framework refuses in its own way is the caller’s fault all the same, never ours', () => {
    const refusal = (statusCode: number) =>
      problemOf(Object.assign(new Error('x'), { statusCode, code: 'FST_X' })).code;
    expect([414, 411, 417, 431].map(refusal)).toEqual(['not-found', 'bad-request', 'bad-request', 'bad-request']);
    expect([500, 502].map(refusal)).toEqual(['internal', 'internal']);
  });

  it('I13: a field error points at the field and does not repeat its value', () => {
    const schema = z.strictObject({ name: z.string(), list: z.array(z.strictObject({ 'a/b': z.number() })) });
    const { error } = schema.safeParse({ name: 'x', list: [{ 'a/b': 'hunter2' }], hunter2: 1 });
    const body = problemOf(error).body();
    expect(JSON.parse(body).errors[0].pointer).toBe('/list/0/a~1b');
    expect(body).not.toContain('hunter2');
  });
});
