/**
 * What `doctor` advises of servers that are not as they should be, and of keys whose account was never made.
 * Certificates: front-door.test.ts of the testkit.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openInProcess, REAL_RUNTIME } from './testing/in-process.ts';
import { openSealwire, startServer } from './testing/processes.ts';
import type { Result } from './testing/result.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'sealwire-doctor-'));
const passphraseFile = join(folder, 'passphrase');
const doors: Server[] = [];
let server: Awaited<ReturnType<typeof startServer>>;

beforeAll(async () => {
  writeFileSync(passphraseFile, 'correct horse battery staple\n', { mode: 0o600 });
  server = await startServer(join(folder, 'server'));
});
afterAll(async () => {
  for (const door of doors) door.close();
  await server?.stop();
  rmSync(folder, { recursive: true });
});

/** Its port on 127.0.0.1. */
async function listening(door: Server): Promise<number> {
  doors.push(door);
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  return (door.address() as AddressInfo).port;
}

const homeOf = (name: string) => join(folder, name);
const env = () => ({ SEALWIRE_SERVER: server.origin, SEALWIRE_PASSPHRASE_FILE: passphraseFile });
/** A process of its own: what the network's errors hold is not the same in the test's. */
function sealwire(name: string, args: readonly string[]): Promise<Result> {
  mkdirSync(homeOf(name), { recursive: true });
  return openSealwire(homeOf(name), args, env()).ended;
}
const failed = ({ records }: Result, name: string) =>
  records
    .filter((record) => record.ok === false && record.name === name)
    .map(({ detail, fix }) => `${detail} → ${fix}`);
const serverOf = async (url: string) =>
  failed(await sealwire('nobody', ['doctor', '--json', '-u', 'nobody', '-s', url]), 'server')[0];

describe('doctor, of a server', () => {
  it.each([
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'the address that the operator gave'],
    ['CERT_HAS_EXPIRED', 'the clock of this machine'],
    ['ENOTFOUND', 'the address that the operator gave'],
    ['ECONNREFUSED', 'start it (npm start)'],
  ])('that is not reached (%s): %s', async (code, advice) => {
    mkdirSync(homeOf('nobody'), { recursive: true });
    const fails = () =>
      Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code }) }));
    const runtime = { ...REAL_RUNTIME, fetch: fails };
    const result = await openInProcess(homeOf('nobody'), ['doctor', '--json', '-u', 'nobody'], { env: env(), runtime })
      .ended;
    expect(failed(result, 'server')).toEqual([expect.stringContaining(advice)]);
  });

  it('without TLS where TLS was expected: another address', async () => {
    const address = server.origin.replace('http:', 'https:');
    expect(await serverOf(address)).toMatch(/does not speak TLS.*→ name the address that the operator gave/);
  });

  it('that has moved: the command that follows it; other commands name the redirect', async () => {
    const port = await listening(
      createServer(({ url }, response) => void response.writeHead(308, { location: server.origin + url }).end()),
    );
    const old = `http://127.0.0.1:${port}`;
    expect(await serverOf(old)).toContain(`→ if that is right: sealwire move -s ${server.origin}, or -s`);
    const registering = await sealwire('mover', ['register', '-u', 'mover', '-s', old]);
    expect(registering).toMatchObject({ code: 3, stderr: expect.stringContaining('it sends us to another address') });
  });

  it('behind somebody else’s login page: nothing to follow', async () => {
    const port = await listening(
      createServer(
        (_request, response) => void response.writeHead(302, { location: 'https://portal.example/login' }).end(),
      ),
    );
    const said = await serverOf(`http://127.0.0.1:${port}`);
    expect(said).toContain('sends us to https://portal.example/login → check the address');
    expect(said).not.toContain('sealwire move');
  });
});

describe('doctor, of keys whose account was not made', () => {
  const breaksOff: typeof fetch = async (input, init) => {
    if (String(input).endsWith('/v1/login/challenge')) throw new TypeError('fetch failed');
    return fetch(input, init);
  };
  /** In the test's process: it breaks off at a step of its choice. */
  function brokenOff(name: string, args: readonly string[]): Promise<Result> {
    mkdirSync(homeOf(name), { recursive: true });
    return openInProcess(homeOf(name), args, { env: env(), runtime: { ...REAL_RUNTIME, fetch: breaksOff } }).ended;
  }

  it('a registration goes on by register, a join by devices join; other commands say the same', async () => {
    expect((await brokenOff('rosa', ['register', '-u', 'rosa'])).code).toBe(3);
    expect(failed(await sealwire('rosa', ['doctor', '--json']), 'login')).toEqual([
      expect.stringContaining('→ run sealwire register -u rosa'),
    ]);
    expect((await sealwire('rosa', ['listen'])).stderr).toContain('run `sealwire register -u rosa` again');
    expect((await sealwire('rosa', ['register', '-u', 'rosa'])).code).toBe(0);

    const secret = join(folder, 'rosa.secret');
    writeFileSync(secret, (await sealwire('rosa', ['devices', 'export-secret'])).stdout, { mode: 0o600 });
    const joining = ['devices', 'join', '-u', 'rosa', '--secret-file', secret];
    expect((await brokenOff('phone', joining)).code).toBe(3);
    expect(failed(await sealwire('phone', ['doctor', '--json']), 'login')).toEqual([
      expect.stringContaining('→ run sealwire devices join -u rosa --secret-file FILE'),
    ]);
    expect((await sealwire('phone', joining)).code).toBe(0);
    expect((await sealwire('phone', ['doctor'])).code).toBe(0);
  });
});
