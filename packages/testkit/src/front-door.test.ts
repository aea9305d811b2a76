/**
 * A server as its operator sets it up without a proxy: TLS from two files, under a path of its own. Real processes: solo, the command line,
 * and curl as a client of HTTP Digest that nobody here wrote.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { freePort } from '@sealwire/bus/testing/free-port';
import { selfSigned, writeSelfSigned } from '@sealwire/service/testing/self-signed';
import { serverProcesses } from '@sealwire/service/testing/server-process';
import { encodeRequest, LIME_CONTENT_TYPE, LIME_ERRORS } from '@sealwire/wire/lime-server';

jest.setTimeout(60_000);

const run = promisify(execFile);
const solo = serverProcesses(String(new URL('../../../apps/solo/src/', import.meta.url)));
const cli = serverProcesses(String(new URL('../../../apps/cli/src/', import.meta.url)));
const first = selfSigned('first');
const second = selfSigned('second');
const tls = writeSelfSigned(first);
const both = join(tls.folder, 'both.pem');
writeFileSync(both, first.certificate + second.certificate);
afterAll(() => rmSync(tls.folder, { recursive: true }));

/** Status and body of a request that curl made; `args` before the URL. */
async function curl(url: string, ...args: string[]): Promise<{ status: number; body: Buffer }> {
  const options = ['--silent', '--cacert', both, '--write-out', '%{stderr}%{http_code}', ...args, url];
  const { stdout, stderr } = await run('curl', options, { encoding: 'buffer' });
  return { status: Number(stderr.toString()), body: stdout };
}

function hasCurl(): boolean {
  try {
    execFileSync('curl', ['--version']);
    return true;
  } catch {
    return false;
  }
}

async function start(...options: string[]) {
  const port = await freePort();
  const server = `https://localhost:${port}/chat`;
  const data = join(solo.folder, String(port));
  const keys = ['--tls-cert-file', tls.certificate, '--tls-key-file', tls.key];
  const where = ['--listen', `127.0.0.1:${port}`, '--public-origin', server, '--data-dir', data];
  const process = solo.start([...where, ...keys, '--domain', 'example.org', '--log-level', 'info', ...options]);
  await process.says(/-t bob\n/);
  return { process, server, origin: `https://localhost:${port}` };
}

async function sealwire(...args: string[]) {
  const home = { HOME: cli.folder, NODE_EXTRA_CA_CERTS: both };
  const { code, stdout, stderr } = await cli.start(args, home).ended;
  if (code !== 0) throw new Error(`${args.join(' ')}: ${code} ${stderr}`);
  return stdout;
}

const register = (server: string, name: string) => sealwire('register', '-u', name, '-s', server, '--no-passphrase');

describe('TLS without a proxy, under a path', () => {
  it('people register, talk and look after their account', async () => {
    const { server, origin } = await start();
    for (const name of ['alice', 'bob']) await register(server, name);
    await sealwire('send', '-u', 'alice', '-t', 'bob', '-m', 'hello under a path');
    expect(await sealwire('listen', '-u', 'bob', '--count', '1')).toContain('hello under a path');
    expect(await sealwire('doctor', '-u', 'alice', '-s', server)).toContain('example.org');
    expect(await sealwire('devices', '-u', 'alice')).toContain('sip:alice@example.org;gr=');
    const made = JSON.parse(await sealwire('app-passwords', 'make', 'Linphone', '-u', 'alice', '--json'));
    expect(made.password).toMatch(/^(?:\w{4}-){6}\w{4}$/);
    await expect(sealwire('app-passwords', 'make', 'Linphone', '-u', 'alice')).rejects.toThrow(/of that name/);
    expect(await sealwire('app-passwords', '-u', 'alice')).toMatch(
      new RegExp(`^${made.id}  made \\d{4}-\\d\\d-\\d\\d  never used  Linphone\\n$`),
    );
    await sealwire('app-passwords', 'revoke', made.id, '-u', 'alice');
    expect(await sealwire('app-passwords', '-u', 'alice')).toBe('');
    const known = await curl(`${server}/.well-known/sealwire`);
    expect(JSON.parse(known.body.toString())).toMatchObject({
      api: '/chat/v1',
      lime: '/chat/lime',
      relay: '/chat/relay',
    });
    for (const path of ['/v1/devices', '/lime', '/relay', '/chat/chat/lime', '/chatter/lime'])
      expect([path, (await curl(origin + path)).status]).toEqual([path, 404]);
  });

  it('doctor says what helps against a certificate that nobody vouches for, and http:// where https:// is spoken', async () => {
    const { server } = await start();
    // Without the profiles of the tests before.
    const HOME = mkdtempSync(join(cli.folder, 'home-'));
    const doctor = async (at: string) => (await cli.start(['doctor', '-s', at], { HOME }).ended).stdout;
    expect(await doctor(server)).toMatch(/FAIL {2}server .*authority.* → .*NODE_EXTRA_CA_CERTS=FILE\n/);
    expect(await doctor(server.replace('https:', 'http:'))).toMatch(
      /FAIL {2}server .* → .*https:\/\/ rather than http:/,
    );
  });

  it('a renewed certificate is shown after SIGHUP, and a broken one is not', async () => {
    const { process, server } = await start();
    const trusts = (certificate: string) =>
      run('curl', ['--silent', '--fail', '--cacert', certificate, `${server}/livez`]).then(
        () => true,
        () => false,
      );
    const [old, renewed] = ['old.pem', 'renewed.pem'].map((name) => join(tls.folder, name));
    writeFileSync(old!, first.certificate);
    writeFileSync(renewed!, second.certificate);
    expect([await trusts(old!), await trusts(renewed!)]).toEqual([true, false]);
    writeFileSync(tls.certificate, second.certificate);
    process.child.kill('SIGHUP');
    await process.says(/certificate-not-usable/);
    expect([await trusts(old!), await trusts(renewed!)]).toEqual([true, false]);
    writeFileSync(tls.key, second.key);
    process.child.kill('SIGHUP');
    await process.says(/certificate-read-again/);
    expect([await trusts(old!), await trusts(renewed!)]).toEqual([false, true]);
  });

  it('K14: files that do not fit are one line and exit code 2', async () => {
    const args = [
      '--data-dir',
      join(solo.folder, 'none'),
      '--tls-cert-file',
      '/nowhere.pem',
      '--tls-key-file',
      tls.key,
    ];
    const { code, stderr } = await solo.start(args).ended;
    expect(code).toBe(2);
    expect(stderr).toMatch(/^solo: TLS_CERT_FILE: \/nowhere\.pem cannot be read \(ENOENT\) — .*\n$/);
  });
});

const title = 'curl logs in with an app password, is refused without, and no more when it is revoked';
const proof = async () => {
  const { server } = await start('--digest-md5', 'on');
  await register(server, 'dora');
  const made = JSON.parse(await sealwire('app-passwords', 'make', 'Linphone on the desk', '-u', 'dora', '--json'));
  expect(made).toMatchObject({ event: 'app-password', user: 'dora', realm: 'example.org' });
  const question = join(tls.folder, 'question');
  writeFileSync(question, encodeRequest({ kind: 'getSelfOneTimePrekeys', suite: 'c25519' }));
  const ask = (user: string, password: string, ...headers: string[]) =>
    curl(
      `${server}/lime`,
      ...['--digest', '--user', `${user}:${password}`, '--data-binary', `@${question}`],
      ...['--header', `Content-Type: ${LIME_CONTENT_TYPE}`, ...headers.flatMap((header) => ['--header', header])],
    );
  const device = 'sip:dora@example.org;gr=urn:uuid:a-desk-phone';
  for (const headers of [[`From: ${device}`], [`X-Lime-user-identity: ${device}`, 'From: anything']]) {
    const { status, body } = await ask('dora', made.password, ...headers);
    expect([status, body[3]]).toEqual([200, LIME_ERRORS.userNotFound]);
  }
  expect((await ask('dora', 'wrong', `From: ${device}`)).status).toBe(401);
  expect((await ask('dora', made.password, 'From: sip:bob@example.org;gr=urn:uuid:x')).status).toBe(403);

  const [listed] = (await sealwire('app-passwords', '-u', 'dora', '--json'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(listed).toMatchObject({
    id: made.id,
    name: 'Linphone on the desk',
    usedOn: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
  });
  expect(JSON.stringify(listed)).not.toContain(made.password);
  expect(await sealwire('app-passwords', 'revoke', made.id, '-u', 'dora')).toBe(`revoked ${made.id}\n`);
  expect((await ask('dora', made.password, `From: ${device}`)).status).toBe(401);
  await expect(sealwire('app-passwords', 'revoke', made.id, '-u', 'dora')).rejects.toThrow(/there is no app password/);
};

describe('HTTP Digest', () => {
  if (hasCurl()) it(title, proof);
  else it.skip(`${title} (skipped: there is no curl)`, proof);
});
