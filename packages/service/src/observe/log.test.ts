import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { createLog, type LogFields } from './log.ts';

const SECRETS = {
  token: 'eyJhbGciOiJFZERTQSIsImtpZCI6ImFiYyJ9.eyJzdWIiOiJzaXA6YWxpY2UifQ.c2lnbmF0dXJlc2lnbmF0dXJl',
  key: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
  hex: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
  address: 'sip:alice@example.org',
  device: 'sip:alice@example.org;gr=urn:uuid:6c3b1c1e-2d1f-4a6e-9a5e-0d7c6b5a4f3e',
  mail: 'alice@example.org',
  uuid: '6c3b1c1e-2d1f-4a6e-9a5e-0d7c6b5a4f3e',
};

function capture() {
  const lines: string[] = [];
  const log = createLog({
    server: 'test',
    level: 'debug',
    now: () => 1_700_000_000_000,
    write: (line) => lines.push(line),
  });
  return { log, lines };
}

describe('the log', () => {
  it('writes one JSON line with event, level, time of the injected clock and the fields', () => {
    const { log, lines } = capture();
    log.info('listening', { version: '0.1.0', host: '127.0.0.1', port: 8080, route: '/v1/devices/:id', code: 4001 });
    expect(JSON.parse(lines[0]!)).toEqual({
      level: 'info',
      time: 1_700_000_000_000,
      server: 'test',
      event: 'listening',
      version: '0.1.0',
      host: '127.0.0.1',
      port: 8080,
      route: '/v1/devices/:id',
      code: 4001,
    });
  });

  it('I13, S79: planted secrets come out nowhere, whichever field or error carries them', () => {
    const { log, lines } = capture();
    for (const secret of Object.values(SECRETS)) {
      log.info(`event ${secret}`);
      for (const field of ['reason', 'route', 'host', 'node', 'request', 'code', 'method'])
        log.warn('planted', { [field]: `before ${secret} after` } as LogFields);
      log.error('planted', {
        device: secret,
        token: secret,
        headers: { authorization: secret },
      } as unknown as LogFields);
      const error = Object.assign(new Error(`failed for ${secret}`, { cause: new Error(secret) }), {
        body: secret,
        code: secret,
      });
      log.error('planted', { error });
      log.error('planted', { error: secret });
      log.error('planted', { error: { toJSON: () => secret, [inspect.custom]: () => secret } });
    }
    const all = lines.join('');
    for (const [name, secret] of Object.entries(SECRETS)) {
      expect({ name, found: all.includes(secret) }).toEqual({ name, found: false });
    }
    expect(all).not.toContain('alice');
  });

  it('keeps what an operator needs of an error: name, code, kind, frames', () => {
    const { log, lines } = capture();
    log.error('failed', { error: Object.assign(new TypeError('x'), { code: 'ECONNREFUSED', kind: 'unavailable' }) });
    const { error } = JSON.parse(lines[0]!);
    expect(error).toMatchObject({ name: 'TypeError', code: 'ECONNREFUSED', kind: 'unavailable' });
    expect(error.at[0]).toContain('log.test.ts');
  });

  it('T206: names a device only where identifiers are switched on', () => {
    for (const identifiers of [false, true]) {
      const lines: string[] = [];
      const log = createLog({
        server: 'test',
        level: 'info',
        now: () => 0,
        identifiers,
        write: (at) => lines.push(at),
      });
      log.error('frame-failed', { device: SECRETS.device, reason: SECRETS.device });
      expect(JSON.parse(lines[0]!).device).toBe(identifiers ? SECRETS.device : undefined);
      expect(JSON.parse(lines[0]!).reason).not.toContain('alice');
    }
  });

  it('keeps ids of requests whole, those of nginx too', () => {
    const { log, lines } = capture();
    const ids = ['0f3a9c1200000001', '9f86d081884c7d659a2feaa0c55ad015'];
    for (const request of ids) log.info('request', { request });
    expect(lines.map((line) => JSON.parse(line).request)).toEqual(ids);
  });

  it('writes nothing below its level', () => {
    const lines: string[] = [];
    const log = createLog({ server: 'test', level: 'warn', now: () => 0, write: (line) => lines.push(line) });
    log.info('quiet');
    log.warn('loud');
    expect(lines).toHaveLength(1);
  });
});
