import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openMemoryStore } from '@sealwire/store/memory';
import { ProblemAnswer, WellKnown } from '@sealwire/wire/http';
import { apiDescription } from './published/description.ts';
import { openApiText } from './published/published.ts';
import { crypto, type Fixture, startFixture } from './testing/fixture.ts';
import { person } from './testing/person.ts';

const VERSION = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version as string;
const { operations } = apiDescription(VERSION);

let fixture: Fixture;
beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.close());

const post = (body: string, headers?: Record<string, string>) =>
  fixture.call('POST', '/v1/login/challenge', body, headers);

describe('H09: hostile JSON', () => {
  it.each([
    ['depth 10 000', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['__proto__', '{"device":"sip:a@b.c;gr=x","__proto__":{"admin":true}}'],
    ['duplicate names', '{"device":"sip:a@b.c;gr=x","device":"sip:a@b.c;gr=y"}'],
    ['an unknown field', '{"device":"sip:a@b.c;gr=x","admin":true}'],
    ['half a surrogate pair', '{"device":"sip:\\ud800@b.c;gr=x"}'],
    ['a number too large', '{"device":1e309}'],
    ['a huge number where text belongs', '{"device":1e308}'],
    ['an array', '[]'],
    ['null', 'null'],
    ['not JSON', '{'],
  ])('%s → 400 problem', async (_, body) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(ProblemAnswer.parse(answer.json).code).toBe('bad-request');
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('an empty body and none at all → 400', async () => {
    expect((await post('')).status).toBe(400);
    expect((await fixture.call('POST', '/v1/login/challenge')).status).toBe(400);
  });

  it('points at the faulty field, and does not repeat what was sent', async () => {
    const { json, text } = await post('{"device":"hunter2"}');
    expect(json.errors).toEqual([
      { pointer: '/device', detail: 'a device id looks like sip:alice@example.org;gr=urn:uuid:…' },
    ]);
    expect(text).not.toContain('hunter2');
  });
});

describe('H13: other bodies', () => {
  it.each([
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'text/plain',
    'application/xml',
    'application/jsonx',
  ])('%s → 415', async (type) => {
    const answer = await post('{"device":"sip:a@b.c;gr=x"}', { 'content-type': type });
    expect([answer.status, answer.json.code]).toEqual([415, 'unsupported-media-type']);
  });

  it.each(['charset=utf-8', 'charset=UTF-8', 'charset="utf-8"', 'charset=utf8', 'charset=utf-8; profile=x'])(
    'takes application/json; %s',
    async (parameters) => {
      const type = `application/json; ${parameters}`;
      expect((await post('{"device":"sip:a@b.c;gr=x"}', { 'content-type': type })).status).toBe(200);
    },
  );

  it.each(['Application/JSON', 'APPLICATION/json;CHARSET=UTF-8', 'application/json ; charset=utf-8'])(
    'takes %s: media types have no case',
    async (type) => {
      expect((await post('{"device":"sip:a@b.c;gr=x"}', { 'content-type': type })).status).toBe(200);
    },
  );

  it.each([
    'charset=utf-16',
    'charset=iso-8859-1',
    'CharSet="UTF-16LE"',
    'charset=utf-8; charset=utf-16',
    'x="; charset=utf-8"; charset=utf-16',
    'charset=',
    'charset',
    "charset*=utf-8''utf-16",
  ])('application/json; %s → 415: it is read as UTF-8, and as nothing else', async (parameters) => {
    const answer = await post('{"device":"sip:a@b.c;gr=x"}', { 'content-type': `application/json; ${parameters}` });
    expect([answer.status, answer.json.code]).toEqual([415, 'unsupported-media-type']);
  });

  it('64 KiB are taken, one byte more is 413', async () => {
    const body = (bytes: number) => JSON.stringify({ device: 'x'.repeat(bytes - 13) });
    expect(body(64 * 1024)).toHaveLength(64 * 1024);
    expect((await post(body(64 * 1024))).status).toBe(400);
    const over = await post(body(64 * 1024 + 1));
    expect([over.status, over.json.code]).toEqual([413, 'payload-too-large']);
  });
});

describe('every answer', () => {
  it('is not stored, not sniffed, not framed', async () => {
    const { headers } = await fixture.call('GET', '/v1/.well-known/jwks.json');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-powered-by')).toBeNull();
  });

  it('an unknown path, a malformed one and an unknown method are problems too', async () => {
    for (const [method, path] of [
      ['GET', '/v1/nothing'],
      ['GET', '/v1/devices/%ff'],
      ['GET', '/%'],
      ['PATCH', '/v1/account'],
      ['PURGE', '/v1/account'],
    ] as const) {
      const answer = await fixture.call(method, path);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(ProblemAnswer.parse(answer.json).status).toBe(answer.status);
    }
  });
});

describe('a known path with another method', () => {
  it.each([
    ['PUT', '/v1/account', 'DELETE, GET, HEAD'],
    ['GET', '/v1/accounts', 'POST'],
    ['OPTIONS', '/v1/login/challenge', 'POST'],
    ['PATCH', '/v1/devices/sip%3Aa%40b.c%3Bgr%3Dx', 'DELETE'],
    ['DELETE', '/.well-known/sealwire', 'GET, HEAD'],
  ])('%s %s → 405, Allow: %s', async (method, path, allow) => {
    const { status, headers, json } = await fixture.call(method, path);
    expect([status, json.code, headers.get('allow')]).toEqual([405, 'method-not-allowed', allow]);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('says so whatever the body and its type', async () => {
    const { status } = await fixture.call('PUT', '/v1/account', '{', { 'content-type': 'text/plain' });
    expect(status).toBe(405);
  });
});

describe('H16', () => {
  it('an error that no code expected fails its request; the process lives, the metric counts, the log has no message', async () => {
    await fixture.close();
    const store = openMemoryStore();
    const broken = {
      ...store,
      devices: { ...store.devices, find: () => Promise.reject(new Error('hunter2 in a driver message')) },
    };
    fixture = await startFixture({}, { store: broken });
    const alice = person(crypto, 'alice');
    const answer = await fixture.login(alice);
    expect([answer.status, answer.json.code, answer.json.detail]).toEqual([500, 'internal', undefined]);
    expect((await fixture.call('GET', '/v1/.well-known/jwks.json')).status).toBe(200);
    expect(await fixture.metrics.text()).toContain('sealwire_unhandled_errors_total{where="http"} 1');
    expect(fixture.log.join('')).toContain('request-failed');
    expect(fixture.log.join('')).not.toContain('hunter2');
  });
});

describe('I03: routes generated from the description', () => {
  const pathOf = (path: string, id: string) =>
    path.replace('{id}', encodeURIComponent(id)).replace('{address}', encodeURIComponent('sip:a@b.c'));
  const guarded = operations.filter(({ caller }) => caller === 'device');

  it.each(guarded.map((operation) => [operation.id, operation] as const))(
    '%s: no token, a wrong one → 401',
    async (_, { method, path }) => {
      const { person: bob } = await fixture.member('bob');
      for (const headers of [{}, { authorization: 'Bearer x.y.z' }, { authorization: 'Basic Ym9iOmJvYg==' }]) {
        const answer = await fixture.call(method.toUpperCase(), pathOf(path, bob.device), undefined, headers);
        expect([answer.status, answer.json.code]).toEqual([401, 'unauthorized']);
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      }
      expect(await fixture.store.devices.find(bob.device)).toBeDefined();
    },
  );

  const withId = guarded.filter(({ path }) => path.includes('{id}'));
  it.each(withId.map((operation) => [operation.id, operation] as const))(
    '%s: a foreign device is as unknown as one that never was',
    async (_, { method, path }) => {
      const { auth } = await fixture.member('alice');
      const { person: bob } = await fixture.member('bob');
      const answers = [];
      for (const id of [
        bob.device,
        'sip:nobody@example.org;gr=x',
        'sip:alice@example.org;gr=never-was',
        'nonsense',
        'x'.repeat(600),
      ])
        answers.push(await fixture.call(method.toUpperCase(), pathOf(path, id), undefined, auth));
      for (const answer of answers) {
        expect(answer.status).toBe(404);
        expect(answer.text).toBe(answers[0]!.text);
      }
      expect(await fixture.store.devices.find(bob.device)).toBeDefined();
    },
  );

  it('every operation answers, and every route is described', async () => {
    const link = (await fixture.call('POST', '/v1/links')).json.id;
    for (const { method, path } of operations) {
      const id = path.startsWith('/v1/links/') ? link : 'sip:a@b.c;gr=x';
      const slotted = path.replace('{slot}', path.includes('/new/') ? '2' : '1');
      const { status } = await fixture.call(method.toUpperCase(), pathOf(slotted, id));
      expect({ path, status }).not.toEqual({ path, status: 404 });
    }
    const names = [
      'accounts',
      'activations',
      'login',
      'devices',
      'app-passwords',
      'attachments',
      'contacts',
      'blocks',
      'links',
      'resets',
      'published',
    ];
    const controllers = names.map((name) =>
      readFileSync(new URL(`./${name}/${name}.controller.ts`, import.meta.url), 'utf8'),
    );
    const routes = controllers.flatMap((text) => {
      const prefix = /@Controller\((?:'([^']*)')?\)/.exec(text)?.[1] ?? '';
      return [...text.matchAll(/@(Get|Post|Put|Delete|Patch)\((?:'([^']*)')?\)/g)].map(([, method, path = '']) =>
        `${method!.toLowerCase()} /${[prefix, path].filter(Boolean).join('/')}`.replace(/:(\w+)/g, '{$1}'),
      );
    });
    expect(routes.sort()).toEqual(operations.map(({ method, path }) => `${method} ${path}`).sort());
  });
});

describe('what is published', () => {
  it('openapi.json is the committed one', async () => {
    const committed = readFileSync(new URL('../openapi.json', import.meta.url), 'utf8');
    expect(JSON.parse(openApiText(VERSION))).toEqual(JSON.parse(committed));
    expect((await fixture.call('GET', '/openapi.json')).json).toEqual(JSON.parse(committed));
  });

  it('the page names every operation and loads nothing', async () => {
    const { text, headers } = await fixture.call('GET', '/docs');
    expect(headers.get('content-type')).toMatch(/^text\/html/);
    for (const { path } of operations) expect(text).toContain(path);
    expect(text).not.toMatch(/<script|src=|href="http|url\(/);
    const style = /<style>([\s\S]*)<\/style>/.exec(text)![1]!;
    const hash = Buffer.from(crypto.sha256(Buffer.from(style))).toString('base64');
    expect(headers.get('content-security-policy')).toContain(`'sha256-${hash}'`);
  });

  it('/.well-known/sealwire tells a client where everything is', async () => {
    const { json } = await fixture.call('GET', '/.well-known/sealwire');
    expect(WellKnown.parse(json)).toMatchObject({
      domain: 'example.org',
      relay: '/relay',
      lime: '/lime',
      gate: 'open',
    });
  });
});

describe('H04 on this server', () => {
  it('a request whose declared body never comes does not hold up others', async () => {
    const slow = request(`${fixture.listening.url}/v1/accounts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '100' },
    });
    slow.on('error', () => {});
    slow.flushHeaders();
    expect((await fixture.call('GET', '/v1/.well-known/jwks.json')).status).toBe(200);
    slow.destroy();
  });
});

describe('I13: no secret leaves', () => {
  it('in logs, metrics and error bodies of a whole life: account, login, failures, deletion', async () => {
    const { person: alice, token, auth } = await fixture.member('alice');
    const bodies: string[] = [];
    for (const answer of [
      await fixture.call('POST', '/v1/accounts', { ...alice.creation(), name: 'bob' }),
      await fixture.call('POST', '/v1/login/token', alice.answer('https://other.example', 'AAAA')),
      await fixture.call('GET', '/v1/devices', undefined, { authorization: `Bearer ${token}x` }),
      await fixture.call('DELETE', '/v1/devices/nonsense', undefined, auth),
      await fixture.call('DELETE', '/v1/account', undefined, auth),
    ])
      bodies.push(answer.text);
    const everything = [fixture.log.join(''), await fixture.metrics.text(), bodies.join('')].join('\n');
    const secrets = [
      token,
      alice.device,
      alice.address,
      alice.name,
      ...[alice.loginSeed, alice.loginKey].map((key) => Buffer.from(key).toString('base64url')),
    ];
    for (const secret of secrets) expect(everything).not.toContain(secret);
  });
});
