import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LIMITS } from '@sealwire/wire/limits';
import { z } from 'zod';
import { ConfigError } from '../boot/config.ts';
import { silentLog } from '../observe/log.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import { type AdminSocket, callAdminSocket, listenOnAdminSocket } from './admin-socket.ts';

const body = z.strictObject({ text: z.string() });
const COMMANDS = {
  '/v1/admin/echo': async (json: unknown) => ({ said: body.parse(json).text.length }),
  '/v1/admin/broken': async () => Promise.reject(new Error('a secret')),
};

let folder: string;
let path: string;
let metrics: Metrics;
const open: AdminSocket[] = [];

beforeEach(() => {
  metrics = createMetrics();
  folder = mkdtempSync(join(tmpdir(), 'sealwire-admin-'));
  path = join(folder, 'admin.sock');
});
afterEach(async () => {
  for (const socket of open.splice(0)) await socket.close();
  rmSync(folder, { recursive: true });
});

async function listenThere(): Promise<void> {
  open.push(await listenOnAdminSocket(path, COMMANDS, { log: silentLog, metrics }));
}

async function ask(method: string, at: string, text: string, type = 'application/json') {
  const call = request({ socketPath: path, path: at, method, headers: { 'content-type': type }, agent: false });
  call.end(text);
  const [response] = await once(call, 'response');
  let answer = '';
  for await (const chunk of response) answer += chunk;
  return { status: response.statusCode, allow: response.headers.allow, ...JSON.parse(answer) };
}

describe('the administrator’s socket', () => {
  it('is for its user alone from its first moment on, and gone when it is closed', async () => {
    const before = process.umask(0o022);
    await listenThere();
    expect(process.umask(before)).toBe(0o022);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await open.pop()?.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('runs a command and hands back what it says; undefined where nobody listens', async () => {
    expect(await callAdminSocket(path, '/v1/admin/echo', { text: 'abc' })).toBeUndefined();
    await listenThere();
    expect(await callAdminSocket(path, '/v1/admin/echo', { text: 'abc' })).toEqual({ said: 3 });
  });

  it('takes strict JSON of the documented form only, and answers with problems', async () => {
    await listenThere();
    const echo = (text: string, type?: string) => ask('POST', '/v1/admin/echo', text, type);
    expect(await echo('{"text":"a"}')).toMatchObject({ status: 200 });
    expect(await echo('{"text":"a","more":1}')).toMatchObject({
      code: 'bad-request',
      errors: [{ detail: 'unknown field' }],
    });
    expect(await echo('{"text":"a","text":"b"}')).toMatchObject({
      status: 400,
      detail: 'the same name twice in an object',
    });
    expect(await echo('{"text":"a"}', 'text/plain')).toMatchObject({ status: 415 });
    expect(await echo('{"text":"a"}', 'application/json; charset=utf-16')).toMatchObject({ status: 415 });
    expect(await echo('{"text":"a"}', 'Application/JSON; charset=UTF-8')).toMatchObject({ status: 200 });
    expect(await ask('PUT', '/v1/admin/echo', '{}')).toMatchObject({ status: 405, allow: 'POST' });
    expect(await ask('POST', '/constructor', '{}')).toMatchObject({ status: 404 });
    const broken = await ask('POST', '/v1/admin/broken', '{}');
    expect(broken).toMatchObject({ status: 500, code: 'internal' });
    expect(JSON.stringify(broken)).not.toContain('secret');
    expect(await metrics.text()).toContain('sealwire_unhandled_errors_total{where="admin-socket"} 1');
    const empty = JSON.stringify({ text: '' }).length;
    const most = LIMITS.jsonBodyBytes.value - empty;
    expect(await echo(JSON.stringify({ text: 'x'.repeat(most) }))).toMatchObject({ said: most });
    expect(await echo(JSON.stringify({ text: 'x'.repeat(most + 1) }))).toMatchObject({ status: 413 });
  });

  it('is refused where another server listens, and where a file lies', async () => {
    await listenThere();
    await expect(listenThere()).rejects.toThrow(/admin.sock: is the socket of another server that runs — /);
    path = join(folder, 'file');
    writeFileSync(path, 'text');
    await expect(listenThere()).rejects.toThrow(/file: is there already, and no socket — /);
    path = join(folder, 'none', 'admin.sock');
    await expect(listenThere()).rejects.toThrow(ConfigError);
  });

  it('may lie deeper than the address of a socket is long', async () => {
    path = join(folder, 'a'.repeat(120), 'admin.sock');
    expect(await callAdminSocket(path, '/v1/admin/echo', { text: 'abc' })).toBeUndefined();
    mkdirSync(join(folder, 'a'.repeat(120)));
    await listenThere();
    expect(await callAdminSocket(path, '/v1/admin/echo', { text: 'abc' })).toEqual({ said: 3 });
    await expect(listenThere()).rejects.toThrow('another server');
  });
});

describe('a command that is refused', () => {
  it('is one line that says why', async () => {
    await listenThere();
    const refused = callAdminSocket(path, '/v1/admin/none', {});
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(`${path}: the server refuses: There is no such thing here — `);
  });
});
