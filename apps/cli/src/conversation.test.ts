/** The command line against a real server process: what scripts rely on. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { type InProcessOptions, NO_NETWORK, openInProcess, REAL_RUNTIME } from './testing/in-process.ts';
import { invite, openSealwire, startServer } from './testing/processes.ts';
import type { Result } from './testing/result.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'sealwire-conversation-'));
const passphraseFile = join(folder, 'passphrase');
const PASSPHRASE = 'correct horse battery staple';
let server: Awaited<ReturnType<typeof startServer>>;

/** One home a person; all have the same passphrase file. */
const home = (name: string) => join(folder, name);
const env = () => ({ SEALWIRE_SERVER: server.origin, SEALWIRE_PASSPHRASE_FILE: passphraseFile });
/** Where a process of its own makes no difference, there is none. */
const sealwire = (at: string, args: readonly string[], options: InProcessOptions) =>
  openInProcess(at, args, { runtime: REAL_RUNTIME, ...options }).ended;
const as = (name: string, ...args: string[]): Promise<Result> => sealwire(home(name), args, { env: env() });
const data = (name: string) => join(home(name), '.local/share/sealwire', name);

beforeAll(async () => {
  writeFileSync(passphraseFile, `${PASSPHRASE}\n`, { mode: 0o600 });
  server = await startServer(join(folder, 'server'), ['--logins-per-device', '0', '--logins-per-address', '0']);
  for (const name of ['alice', 'bob']) {
    mkdirSync(home(name));
    expect(await as(name, 'register', '-u', name)).toMatchObject({ code: 0 });
  }
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

describe('register', () => {
  it('says who and where as JSON, and makes files for their owner only', async () => {
    mkdirSync(home('carol'));
    // A process of its own: the modes are its umask's doing.
    const args = ['register', '-u', 'carol', '--curve', 'c448', '--json'];
    const { records, code } = await openSealwire(home('carol'), args, env()).ended;
    expect(code).toBe(0);
    expect(records).toEqual([
      {
        event: 'registered',
        address: 'sip:carol@localhost',
        device: expect.stringMatching(/^sip:carol@localhost;gr=urn:uuid:/),
        curves: ['c448'],
        server: server.origin,
      },
    ]);
    // The command line itself makes passphrases costly, which the others of these tests do without.
    const { kdf } = JSON.parse(readFileSync(join(data('carol'), 'keys.json'), 'utf8')) as { kdf: object };
    expect(kdf).toMatchObject({ name: 'argon2id', memoryKiB: 65_536, passes: 3, lanes: 4 });
    const open = readdirSync(data('carol'), { recursive: true, withFileTypes: true })
      .map((entry) => join(entry.parentPath, entry.name))
      .concat(data('carol'))
      .filter((path) => (statSync(path).mode & 0o077) !== 0);
    expect(open).toEqual([]);
  });

  it('with --hybrid makes keys on the hybrid suites as well, and people without them can be written to', async () => {
    mkdirSync(home('hella'));
    const { records, code } = await as('hella', 'register', '-u', 'hella', '--hybrid', '--json');
    expect([code, records[0]?.curves]).toEqual([0, ['c25519mlk512', 'c448mlk1024', 'c25519', 'c448']]);
    expect(await as('hella', 'send', '-u', 'hella', '-t', 'alice', '-m', 'from a hybrid device')).toMatchObject({
      code: 0,
    });
    const read = await as('alice', 'listen', '-u', 'alice', '--count', '1', '--json');
    expect(read.records).toMatchObject([{ text: 'from a hybrid device' }]);
  });

  it('of a name that is taken ends with 1 and leaves nothing behind', async () => {
    const other = home('imposter');
    mkdirSync(other);
    const { code, stderr } = await sealwire(other, ['register', '-u', 'alice'], { env: env() });
    expect([code, stderr.trim().split('\n').length]).toEqual([1, 1]);
    expect(readdirSync(join(other, '.local/share/sealwire'))).toEqual([]);
  });

  it('needs an invitation where the server asks for one', async () => {
    const data = join(folder, 'closed-server');
    const closed = await startServer(data, ['--gate', 'invitation']);
    const at = home('dora');
    mkdirSync(at);
    const args = ['register', '-u', 'dora', '-s', closed.origin];
    const refused = await sealwire(at, args, { env: env() });
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('invitation')]);
    const code = await invite(data);
    const file = join(folder, 'invitation');
    writeFileSync(file, `${code}\n`);
    const both = await sealwire(at, [...args, '--invitation', code, '--invitation-file', file], { env: env() });
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('not both')]);
    expect(await sealwire(at, [...args, '--invitation-file', file], { env: env() })).toMatchObject({ code: 0 });

    const erin = home('erin');
    mkdirSync(erin);
    const wrong = { ...env(), SEALWIRE_INVITATION: code };
    const used = await sealwire(erin, ['register', '-u', 'erin', '-s', closed.origin], { env: wrong });
    expect([used.code, used.stderr]).toEqual([1, expect.stringContaining('invitation')]);
    const good = { ...env(), SEALWIRE_INVITATION: await invite(data) };
    expect(await sealwire(erin, ['register', '-u', 'erin', '-s', closed.origin], { env: good })).toMatchObject({
      code: 0,
    });
    await closed.stop();
  });

  it('has a code mailed where the server does that, and goes on with it', async () => {
    const data = join(folder, 'mailing-server');
    const mailing = await startServer(data, ['--gate', 'email']);
    const at = home('heidi');
    mkdirSync(at);
    const args = ['register', '-u', 'heidi', '-s', mailing.origin];
    const sent = await sealwire(at, [...args, '--email', 'heidi@example.com', '--json'], { env: env() });
    expect([sent.code, JSON.parse(sent.stdout)]).toEqual([
      0,
      expect.objectContaining({ event: 'code-sent', email: 'heidi@example.com' }),
    ]);
    const [mail, ...more] = readdirSync(join(data, 'mail'));
    expect(more).toEqual([]);
    const text = readFileSync(join(data, 'mail', mail!), 'utf8');
    expect(text).toContain('To: heidi@example.com');
    const [, code] = /^ {4}([\w-]{27})\r?$/m.exec(text)!;
    const good = { ...env(), SEALWIRE_INVITATION: code! };
    expect(await sealwire(at, args, { env: good })).toMatchObject({ code: 0 });
    await mailing.stop();
  });

  it('twice ends with 2', async () => {
    const { code, stderr } = await as('alice', 'register', '-u', 'alice');
    expect([code, stderr]).toEqual([2, expect.stringContaining('alice is registered already')]);
  });
});

describe('send and listen', () => {
  it('L10: their JSON is stable', async () => {
    const sent = await as('alice', 'send', '-t', 'bob', '-m', 'one', '--json');
    expect(sent.records).toEqual([
      { event: 'accepted', id: expect.stringMatching(/^[\w-]{22}$/), to: 'sip:bob@localhost' },
    ]);
    const { code, records } = await as('bob', 'listen', '--until-caught-up', '--json');
    expect(code).toBe(0);
    expect(records).toEqual([
      {
        event: 'message',
        id: sent.records[0]?.id,
        from: 'sip:alice@localhost',
        device: expect.stringMatching(/^sip:alice@localhost;gr=/),
        conversation: 'sip:alice@localhost',
        type: 'text/plain',
        text: 'one',
        sentAt: expect.any(Number),
        acceptedAt: expect.any(Number),
        trust: 'untrusted',
        requests: ['positive-delivery', 'negative-delivery'],
        number: 1,
      },
      { event: 'caught-up' },
    ]);
  });

  it('takes the text from stdin, and shows control characters instead of obeying them', async () => {
    const args = ['send', '-t', 'bob', '-m', '-'];
    await sealwire(home('alice'), args, { env: env(), input: 'two\u001b[2J\nbob: lines\n' });
    const { stdout } = await as('bob', 'listen', '--count', '1');
    expect(stdout).toBe('alice: two\\u{1b}[2J\n  bob: lines\n');
    expect((await as('bob', 'listen', '--until-caught-up')).stdout).toBe('');
  });

  it('what was not printed comes again: a reader that has read enough loses nothing', async () => {
    for (const text of ['three', 'four']) await as('alice', 'send', '-t', 'bob', '-m', text);
    expect((await as('bob', 'listen', '--count', '1')).stdout).toBe('alice: three\n');
    expect((await as('bob', 'listen', '--until-caught-up')).stdout).toBe('alice: four\n');
  });

  it('to somebody who is not there ends with 1 and one line', async () => {
    const { code, stdout, stderr } = await as('alice', 'send', '-t', 'nobody', '-m', 'x');
    expect([code, stdout, stderr.trim().split('\n').length]).toEqual([1, '', 1]);
  });

  it('to several: each gets it, and one who is not there keeps it from nobody', async () => {
    mkdirSync(home('dave'));
    await as('dave', 'register', '-u', 'dave');
    const both = await as('alice', 'send', '-t', 'bob', '-t', 'dave', '-m', 'to both');
    expect([both.code, both.stdout.trim().split('\n').sort()]).toEqual([0, ['accepted for bob', 'accepted for dave']]);
    const one = await as('alice', 'send', '-t', 'nobody', '-t', 'bob', '-m', 'to one');
    expect([one.code, one.stdout, one.stderr]).toEqual([
      1,
      'accepted for bob\n',
      expect.stringContaining('there is no nobody'),
    ]);
    expect((await as('bob', 'listen', '--until-caught-up')).stdout).toBe('alice: to both\nalice: to one\n');
    expect((await as('dave', 'listen', '--until-caught-up')).stdout).toBe('alice: to both\n');
  });

  it('what is not UTF-8 is refused, not changed', async () => {
    const latin = Buffer.from('gr\u00fc\u00dfe\n', 'latin1');
    const { code, stderr } = await sealwire(home('alice'), ['send', '-t', 'bob'], { env: env(), input: latin });
    expect([code, stderr]).toEqual([2, expect.stringContaining('the text is not UTF-8')]);
    const input = Buffer.concat([latin, Buffer.from('hello\n')]);
    const chat = await sealwire(home('alice'), ['chat', '-t', 'bob'], { env: env(), input });
    expect([chat.code, chat.stderr]).toEqual([1, expect.stringContaining('a line is not UTF-8')]);
    expect((await as('bob', 'listen', '--until-caught-up')).stdout).toBe('alice: hello\n');
  });

  it('twice to one is once, and a profile without its note still sends', async () => {
    rmSync(join(data('alice'), 'profile.json'));
    const { code, stdout } = await as('alice', 'send', '-t', 'bob', '-t', 'sip:bob@localhost', '-m', 'once');
    expect([code, stdout]).toEqual([0, 'accepted for bob\n']);
    expect((await as('bob', 'listen', '--until-caught-up')).stdout).toBe('alice: once\n');
  });

  it('Ctrl-C ends listen with 0', async () => {
    const listening = openSealwire(home('bob'), ['listen', '--json'], env());
    await listening.says('caught-up');
    listening.kill('SIGINT');
    expect((await listening.ended).code).toBe(0);
  });
});

describe('without a server', () => {
  const { fetch, connectSocket } = NO_NETWORK;
  const offline = (...args: string[]) =>
    sealwire(home('alice'), args, { env: env(), runtime: { ...REAL_RUNTIME, fetch, connectSocket } });

  it('L07: send ends with 3, and what it queued goes out later, in order and once', async () => {
    for (const text of ['first', 'second']) {
      const { code, records } = await offline('send', '-t', 'bob', '-m', text, '--wait', '0', '--json');
      expect([code, records]).toEqual([3, [{ event: 'queued', id: expect.any(String), to: 'sip:bob@localhost' }]]);
    }
    expect((await as('alice', 'send', '-t', 'bob', '-m', 'third')).code).toBe(0);
    const { stdout } = await as('bob', 'listen', '--until-caught-up');
    expect(stdout).toBe('alice: first\nalice: second\nalice: third\n');
  });

  it('a line of a chat ends with 3, too', async () => {
    const runtime = { ...REAL_RUNTIME, fetch, connectSocket };
    const args = ['chat', '-t', 'bob', '--wait', '0'];
    const { code, stderr } = await sealwire(home('alice'), args, { env: env(), runtime, input: 'fourth\n' });
    expect([code, stderr]).toEqual([3, expect.stringContaining('1 of your lines stay in the outbox')]);
    expect((await as('alice', 'send', '-t', 'bob', '-m', 'fifth')).code).toBe(0);
    expect((await as('bob', 'listen', '--until-caught-up')).stdout).toBe('alice: fourth\nalice: fifth\n');
  });
});

describe('a server that cannot be reached', () => {
  const failing = (code: string): InProcessOptions => ({
    env: env(),
    runtime: {
      ...REAL_RUNTIME,
      connectSocket: NO_NETWORK.connectSocket,
      fetch: () => Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code }) })),
    },
  });

  it('listen says why, once, and goes on trying', async () => {
    const listening = openInProcess(home('alice'), ['listen', '--verbose'], failing('ECONNREFUSED'));
    while (!listening.stderrSoFar().includes('reconnecting')) await new Promise((resolve) => setImmediate(resolve));
    expect(listening.stderrSoFar()).toContain('no connection so far (nobody listens there: is the server running?)');
    expect(listening.stderrSoFar()).toContain('login-failed code=unreachable&cause=ECONNREFUSED');
    listening.interrupt();
    expect((await listening.ended).code).toBe(0);
  });

  it('a certificate that nobody vouches for is named, with what helps', async () => {
    const { code, stderr } = await sealwire(home('alice'), ['devices'], failing('DEPTH_ZERO_SELF_SIGNED_CERT'));
    expect([code, stderr]).toEqual([3, expect.stringContaining('NODE_EXTRA_CA_CERTS')]);
  });

  it('a path left out, or somebody else’s server, is said as that', async () => {
    mkdirSync(home('eve'));
    const elsewhere: typeof fetch = async () => new Response('<h1>Not Found</h1>', { status: 404 });
    const { code, stderr } = await sealwire(home('eve'), ['register', '-u', 'eve'], {
      env: env(),
      runtime: { ...REAL_RUNTIME, fetch: elsewhere },
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${server.origin} is no Sealwire server`)]);
  });
});

describe('doctor', () => {
  const doctor = (options: InProcessOptions = {}, ...args: string[]) =>
    sealwire(home('bob'), ['doctor', '--json', ...args], { env: env(), ...options });
  const failed = ({ records }: Result) => records.filter(({ ok }) => !ok).map(({ name, fix }) => [name, fix]);

  it('finds nothing where all is well', async () => {
    const result = await doctor();
    expect([result.code, failed(result)]).toEqual([0, []]);
    const names = new Set(result.records.map(({ name }) => name));
    expect([...names]).toEqual([
      'config',
      'keys',
      'access',
      'server',
      'health',
      'clock',
      'login',
      'prekeys',
      'sessions',
      'relay',
    ]);
  });

  it('K14: finds a server that is not there, a wrong clock, foreign keys in its directory, an open file, a wrong passphrase, and says what to do', async () => {
    expect(failed(await doctor({}, '-s', 'http://localhost:1'))).toEqual([
      ['server', expect.stringContaining('start it (npm start)')],
    ]);
    const named: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (!String(input).endsWith('/.well-known/sealwire')) return response;
      return Response.json({ ...((await response.json()) as object), version: '1\u001b]0;x\u0007\nok  relay' });
    };
    const { stdout } = await sealwire(home('bob'), ['doctor'], {
      env: env(),
      runtime: { ...REAL_RUNTIME, fetch: named },
    });
    expect(stdout).toContain('version 1\\u{1b}]0;x\\u{7}\n  ok  relay, domain');

    const slow = { ...REAL_RUNTIME, now: () => Date.now() - 600_000 };
    expect(failed(await doctor({ runtime: slow }))).toEqual([['clock', expect.stringContaining('NTP')]]);

    const foreign: typeof fetch = async (input, init) => {
      if (!String(input).endsWith('/directory/keys/check')) return fetch(input, init);
      const errors = [{ pointer: '/suites/0/identityKey', detail: 'differs' }];
      const problem = {
        type: 'about:blank',
        title: 'differs',
        status: 409,
        code: 'keys-differ',
        retryable: false,
        errors,
      };
      return Response.json(problem, { status: 409 });
    };
    expect(failed(await doctor({ runtime: { ...REAL_RUNTIME, fetch: foreign } }))).toEqual([
      ['prekeys', expect.stringContaining('another identity key')],
    ]);

    const file = join(data('bob'), 'keys.json');
    chmodSync(file, 0o644);
    expect(failed(await doctor())).toEqual([['access', expect.stringContaining(`run chmod 600 ${file};`)]]);
    chmodSync(file, 0o600);

    const wrong = join(folder, 'wrong-too');
    writeFileSync(wrong, 'another passphrase\n', { mode: 0o600 });
    const result = await doctor({}, '--passphrase-file', wrong);
    expect([result.code, failed(result)]).toEqual([1, [['login', expect.stringContaining('the right passphrase')]]]);
  });
});

describe('chat in a pipe', () => {
  it('shows what comes, sends each line, and ends at the end of input when all is accepted', async () => {
    const bob = openSealwire(home('bob'), ['chat', '-t', 'alice'], env());
    const alice = openSealwire(home('alice'), ['chat', '-t', 'bob'], env());
    await Promise.all([alice.says('chatting with bob'), bob.says('chatting with alice')]);
    alice.stdin.write('are you there?\n');
    await bob.says('alice: are you there?');
    bob.stdin.write('yes\n\nI am\n');
    await alice.says('bob: I am');
    alice.stdin.end('good\nbye\n');
    expect(await alice.ended).toMatchObject({ code: 0, stdout: 'bob: yes\nbob: I am\n' });
    await bob.says('alice: bye');
    bob.stdin.end();
    expect(await bob.ended).toMatchObject({ code: 0, stdout: 'alice: are you there?\nalice: good\nalice: bye\n' });
  });
});

describe('chat', () => {
  it('with somebody who is not there ends with 1', async () => {
    const { code, stderr } = await sealwire(home('alice'), ['chat', '-t', 'nobody'], { env: env(), input: 'hi\n' });
    expect([code, stderr]).toEqual([1, expect.stringContaining('1 of your lines could not be sent')]);
  });

  it('on a terminal shows what comes above the line being typed, with its time, and /to turns to somebody else', async () => {
    const chat = openInProcess(home('alice'), ['chat', '-t', 'bob'], {
      env: env(),
      runtime: REAL_RUNTIME,
      terminal: true,
    });
    await chat.says('you → bob: ');
    chat.stdin.write('half a li');
    await as('bob', 'send', '-t', 'alice', '-m', 'hello');
    await chat.says('bob: hello');
    expect(chat.stdoutSoFar()).toMatch(/^\d\d:\d\d bob: hello\n$/);
    chat.stdin.write('ne\r');
    // That bob has what alice wrote before is said above it too, and the line is drawn again.
    await chat.says('ne\r\n');
    chat.stdin.write('/to nobody\r');
    await chat.says('there is no nobody');
    chat.stdin.write('/to dave\r');
    await chat.says('you → dave: ');
    chat.stdin.write('//etc/motd\r/quit\r');
    expect((await chat.ended).code).toBe(0);
    expect((await as('bob', 'listen', '--until-caught-up')).stdout).toBe('alice: half a line\n');
    expect((await as('dave', 'listen', '--until-caught-up')).stdout).toBe('alice: /etc/motd\n');
  });
});

describe('while listen has the keys', () => {
  it('send goes through it, with the same answers', async () => {
    const listening = openSealwire(home('alice'), ['listen', '--json'], env());
    await listening.says('caught-up');
    const sent = await as('alice', 'send', '-t', 'bob', '-m', 'from beside', '--json');
    expect([sent.code, sent.records]).toEqual([
      0,
      [{ event: 'accepted', id: expect.any(String), to: 'sip:bob@localhost' }],
    ]);
    expect(await as('alice', 'send', '-t', 'nobody', '-m', 'x')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no nobody'),
    });
    expect(await as('alice', 'send', '-t', 'B B', '-m', 'x')).toMatchObject({ code: 2 });
    expect(statSync(join(data('alice'), 'control.sock')).mode & 0o077).toBe(0);
    listening.kill('SIGKILL');
    await listening.ended;
    // What the killed process left is in nobody's way.
    expect((await as('alice', 'send', '-t', 'bob', '-m', 'by itself')).code).toBe(0);
    expect((await as('alice', 'listen', '--until-caught-up')).code).toBe(0);
    expect((await as('bob', 'listen', '--until-caught-up')).stdout).toBe('alice: from beside\nalice: by itself\n');
  });
});

describe('somebody who orders nothing', () => {
  it('does not keep listen from ending', async () => {
    const listening = openSealwire(home('alice'), ['listen', '--json'], env());
    await listening.says('caught-up');
    const silent = createConnection(join(data('alice'), 'control.sock'));
    await once(silent, 'connect');
    listening.kill('SIGINT');
    expect((await listening.ended).code).toBe(0);
    silent.destroy();
  });
});

describe('the keys', () => {
  it('F17: belong to one process at a time; the second one names the first', async () => {
    const first = openSealwire(home('alice'), ['listen', '--json'], env());
    await first.says('caught-up');
    const { code, stderr } = await as('alice', 'devices');
    expect([code, stderr.trim().split('\n').length]).toEqual([5, 1]);
    expect(stderr).toContain(`process ${first.pid} `);
    first.kill('SIGKILL');
    await first.ended;
    expect((await as('alice', 'listen', '--until-caught-up')).code).toBe(0);
  });

  it('L10: the passphrase is in no argument and no environment of the process', async () => {
    const running = openSealwire(home('alice'), ['listen', '--json'], env());
    await running.says('caught-up');
    const seen = execFileSync('ps', ['eww', '-p', String(running.pid)], { encoding: 'utf8' });
    running.kill('SIGTERM');
    await running.ended;
    expect(seen).toContain(passphraseFile);
    expect(seen).not.toContain(PASSPHRASE);
  });

  it('a wrong passphrase ends with 4, a damaged header or store with 6, each in one line, and nothing is touched', async () => {
    const wrong = join(folder, 'wrong');
    writeFileSync(wrong, 'another passphrase\n', { mode: 0o600 });
    const listen = (file: string) =>
      sealwire(home('alice'), ['listen', '--until-caught-up'], { env: { ...env(), SEALWIRE_PASSPHRASE_FILE: file } });
    const refused = await listen(wrong);
    expect([refused.code, refused.stderr]).toEqual([
      4,
      `sealwire: wrong passphrase for ${join(data('alice'), 'keys.json')}\n`,
    ]);

    for (const name of ['keys.json', 'store/records.lmdb']) {
      const file = join(data('alice'), name);
      const good = readFileSync(file);
      const bad = Buffer.from(good).fill(0x5a);
      writeFileSync(file, bad);
      const { code, stderr } = await listen(passphraseFile);
      expect([name, code, stderr.trim().split('\n').length]).toEqual([name, 6, 1]);
      expect(readFileSync(file).equals(bad)).toBe(true);
      writeFileSync(file, good);
    }
    expect((await listen(passphraseFile)).code).toBe(0);
  });

  it('without a passphrase only when that is asked for', async () => {
    const name = 'robot';
    mkdirSync(home(name));
    const bare = { SEALWIRE_SERVER: server.origin };
    const made = await sealwire(home(name), ['register', '-u', name, '--no-passphrase'], { env: bare });
    expect([made.code, made.stderr]).toEqual([0, expect.stringContaining('the keys will lie unencrypted')]);
    expect((await sealwire(home(name), ['listen', '--until-caught-up'], { env: bare })).code).toBe(0);
  });
});

describe('devices', () => {
  it('a second one joins, gets its copy, is listed, and is cut off', async () => {
    const secretFile = join(folder, 'alice.secret');
    const secret = await as('alice', 'devices', 'export-secret');
    writeFileSync(secretFile, secret.stdout, { mode: 0o600 });
    const second = home('alice-phone');
    mkdirSync(second);
    const onPhone = (...args: string[]) => sealwire(second, args, { env: env() });
    expect(await onPhone('devices', 'join', '-u', 'alice', '--secret-file', secretFile)).toMatchObject({ code: 0 });

    await as('bob', 'send', '-t', 'alice', '-m', 'to both');
    for (const listen of [as('alice', 'listen', '--until-caught-up'), onPhone('listen', '--until-caught-up')])
      expect((await listen).stdout).toBe('bob: to both\n');

    const listed = (await as('alice', 'devices', '--json')).records;
    expect(listed.map(({ event, current }) => [event, current])).toEqual([
      ['device', true],
      ['device', false],
    ]);
    expect((await as('alice', 'devices', 'remove', listed[1]?.id as string)).code).toBe(0);
    expect((await onPhone('listen', '--until-caught-up')).code).toBe(4);
    expect((await as('alice', 'devices', '--json')).records).toHaveLength(1);
  });
});

describe('trust', () => {
  const carol = (...args: string[]) => as('carol', ...args);

  it('whoami shows the account key that verify shows to others; after it they are trusted', async () => {
    const own = (await carol('whoami', '--json')).records[0];
    expect(own).toMatchObject({ event: 'whoami', address: 'sip:carol@localhost', server: server.origin });
    const refused = await as('alice', 'verify', '-t', 'carol');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('then give --yes')]);
    const said = await sealwire(home('alice'), ['verify', '-t', 'carol'], { env: env(), terminal: true, input: 'n\n' });
    expect([said.code, said.stderr]).toEqual([1, expect.stringContaining('carol is not trusted')]);

    const { records } = await as('alice', 'verify', '-t', 'carol', '--yes', '--json');
    expect(records[0]).toMatchObject({ event: 'keys', accountKey: own?.accountKey });
    expect(records[2]).toMatchObject({ event: 'safety-number', digits: expect.stringMatching(/^\d{60}$/) });
    expect(records[3]).toMatchObject({ event: 'trusted', devices: [own?.device] });
    await carol('send', '-t', 'alice', '-m', 'hello');
    const { records: read } = await as('alice', 'listen', '--until-caught-up', '--json');
    expect(read.find(({ event }) => event === 'message')).toMatchObject({ text: 'hello', trust: 'trusted' });
  });

  it('revoke stops what is sent, accept lets it go on, forget makes the next contact a first one', async () => {
    const send = () => as('alice', 'send', '-t', 'carol', '-m', 'x');
    expect((await as('alice', 'trust', 'revoke', '-t', 'carol', '--yes')).code).toBe(0);
    expect(await send()).toMatchObject({ code: 1, stderr: expect.stringContaining('sealwire trust accept') });
    expect((await as('alice', 'trust', 'accept', '-t', 'carol', '--yes')).code).toBe(0);
    expect((await send()).code).toBe(0);
    expect((await as('alice', 'trust', '--json')).records.map(({ address }) => address)).toContain(
      'sip:carol@localhost',
    );
    expect((await as('alice', 'trust', 'forget', '-t', 'carol', '--yes')).code).toBe(0);
    expect((await as('alice', 'trust', '--json')).records.map(({ address }) => address)).not.toContain(
      'sip:carol@localhost',
    );
    expect((await send()).code).toBe(0);
  });

  it('another account key is refused until the user accepts it; then it is shown, and verified; forgetting it begins anew', async () => {
    // By the same key: it is the operator who lies.
    const secret = 'secrets/directory.key';
    mkdirSync(join(folder, 'elsewhere', 'secrets'), { recursive: true, mode: 0o700 });
    cpSync(join(folder, 'server', secret), join(folder, 'elsewhere', secret));
    const elsewhere = await startServer(join(folder, 'elsewhere'));
    mkdirSync(home('second-carol'));
    const there = { env: { ...env(), SEALWIRE_SERVER: elsewhere.origin } };
    expect((await sealwire(home('second-carol'), ['register', '-u', 'carol'], there)).code).toBe(0);
    const [second] = (await sealwire(home('second-carol'), ['whoami', '--json'], there)).records;
    // Carol as the directory of another server has her, under the same address.
    const swapped: typeof fetch = (input, init) =>
      fetch(
        String(input).replace(
          `${server.origin}/directory/manifests/carol`,
          `${elsewhere.origin}/directory/manifests/carol`,
        ),
        init,
      );
    const lied = (...args: string[]) =>
      sealwire(home('alice'), args, { env: env(), runtime: { ...REAL_RUNTIME, fetch: swapped } });

    expect(await lied('verify', '-t', 'carol', '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('`sealwire trust accept`'),
    });
    expect((await lied('trust', 'accept', '-t', 'carol', '--yes')).code).toBe(0);
    expect((await lied('verify', '-t', 'carol', '--yes', '--json')).records[0]).toMatchObject({
      accountKey: second?.accountKey,
    });

    await elsewhere.stop();
    expect((await as('alice', 'send', '-t', 'carol', '-m', 'x')).code).not.toBe(0);
    expect((await as('alice', 'trust', 'forget', '-t', 'carol', '--yes')).code).toBe(0);
    expect((await as('alice', 'send', '-t', 'carol', '-m', 'x')).code).toBe(0);
  });
});

describe('passwd', () => {
  it('seals the same keys under another passphrase; the old one opens nothing any more', async () => {
    const next = join(folder, 'next');
    writeFileSync(next, '\ufeffanother passphrase\n', { mode: 0o600 });
    expect((await as('carol', 'passwd', '--new-passphrase-file', next)).code).toBe(0);
    expect((await as('carol', 'whoami')).code).toBe(4);
    const typed = await sealwire(home('carol'), ['whoami'], {
      env: { SEALWIRE_SERVER: server.origin },
      terminal: true,
      input: 'another passphrase\n',
    });
    expect(typed).toMatchObject({ code: 0 });
    const back = await as('carol', 'passwd', '--passphrase-file', next, '--new-passphrase-file', passphraseFile);
    expect([back.code, (await as('carol', 'whoami')).code]).toEqual([0, 0]);
    expect(readdirSync(data('carol')).sort()).toEqual(['keys.json', 'profile.json', 'store']);
  });
});

describe('addresses of one server', () => {
  const port = () => new URL(server.origin).port;

  it('this machine’s three names are as good as each other', async () => {
    mkdirSync(home('gina'));
    const env = { SEALWIRE_PASSPHRASE_FILE: passphraseFile, SEALWIRE_SERVER: `http://127.0.0.1:${port()}` };
    const { code } = await sealwire(home('gina'), ['register', '-u', 'gina'], { env });
    expect([code, (await as('gina', 'send', '-t', 'alice', '-m', 'hi')).code]).toEqual([0, 0]);
  });

  it('one that the server does not go by is refused before anything is made, and the name stays free', async () => {
    mkdirSync(home('hugo'));
    const elsewhere: typeof fetch = async (input, init) => {
      const { pathname, search } = new URL(String(input));
      return fetch(server.origin + pathname + search, init);
    };
    const far = { ...env(), SEALWIRE_SERVER: 'http://192.0.2.7:8080' };
    const options = { env: far, runtime: { ...REAL_RUNTIME, fetch: elsewhere } };
    const { code, stderr } = await sealwire(home('hugo'), ['register', '-u', 'hugo'], options);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`this server goes by ${server.origin}`)]);
    expect(readdirSync(join(home('hugo'), '.local/share/sealwire'))).toEqual([]);
    mkdirSync(home('other-hugo'));
    expect((await sealwire(home('other-hugo'), ['register', '-u', 'hugo'], { env: env() })).code).toBe(0);
  });

  it('a registration that broke off goes on at another address of the same server', async () => {
    mkdirSync(home('ivan'));
    const breaksOff: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (String(input).endsWith('/v1/login/challenge')) throw new TypeError('fetch failed');
      return response;
    };
    const first = await sealwire(home('ivan'), ['register', '-u', 'ivan'], {
      env: env(),
      runtime: { ...REAL_RUNTIME, fetch: breaksOff },
    });
    expect([first.code, first.stderr]).toEqual([3, expect.stringContaining('the same command goes on')]);
    const again = { ...env(), SEALWIRE_SERVER: `http://127.0.0.1:${port()}` };
    expect((await sealwire(home('ivan'), ['register', '-u', 'ivan'], { env: again })).code).toBe(0);
  });

  it('a server that has moved is followed once it has shown that it is the same; nothing changes else', async () => {
    const there = `http://127.0.0.1:${port()}`;
    const moved = await as('alice', 'move', '-s', there, '--json');
    expect(moved.records).toEqual([{ event: 'moved', address: 'sip:alice@localhost', server: there }]);
    expect((await as('alice', 'whoami', '--json')).records[0]).toMatchObject({ server: there });
    expect((await as('alice', 'send', '-t', 'bob', '-m', 'moved')).code).toBe(0);

    const stranger = await startServer(join(folder, 'stranger'));
    const refused = await as('alice', 'move', '-s', stranger.origin);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('it is another server')]);
    await stranger.stop();
    expect((await as('alice', 'whoami', '--json')).records[0]).toMatchObject({ server: there });
    expect((await as('alice', 'listen', '--until-caught-up')).code).toBe(0);
  });
});

describe('ways out', () => {
  it('logout takes this device out of the account and its keys off the machine, but not the only one', async () => {
    const only = await as('carol', 'logout', '--yes');
    expect([only.code, only.stderr]).toEqual([1, expect.stringContaining('the only device')]);
    expect((await as('carol', 'whoami')).code).toBe(0);

    const secretFile = join(folder, 'carol.secret');
    writeFileSync(secretFile, (await as('carol', 'devices', 'export-secret')).stdout, { mode: 0o600 });
    const phone = home('carol-phone');
    mkdirSync(phone);
    const onPhone = (...args: string[]) => sealwire(phone, args, { env: env() });
    await onPhone('devices', 'join', '-u', 'carol', '--secret-file', secretFile);
    expect((await onPhone('logout', '--yes')).code).toBe(0);
    expect(readdirSync(join(phone, '.local/share/sealwire'))).toEqual([]);
    expect((await as('carol', 'devices', '--json')).records).toHaveLength(1);
    await as('alice', 'send', '-t', 'carol', '-m', 'still there?');
    expect((await as('carol', 'listen', '--until-caught-up')).stdout).toContain('alice: still there?');
  });

  it('delete-account deletes it; whoever still has its keys is told one way out everywhere, and logout is that', async () => {
    mkdirSync(home('frank'));
    await as('frank', 'register', '-u', 'frank');
    const copy = home('frank-copy');
    cpSync(home('frank'), copy, { recursive: true });
    const gone = await as('frank', 'delete-account', '--yes');
    expect([gone.code, gone.stdout]).toEqual([0, 'sip:frank@localhost is deleted\n']);
    expect((await as('frank', 'whoami')).code).toBe(2);

    const onCopy = (...args: string[]) => sealwire(copy, args, { env: env() });
    const wayOut = 'to begin anew: `sealwire logout`';
    expect(await onCopy('listen')).toMatchObject({ code: 4, stderr: expect.stringContaining(wayOut) });
    expect(await onCopy('devices')).toMatchObject({ code: 4, stderr: expect.stringContaining(wayOut) });
    expect(await onCopy('register', '-u', 'frank')).toMatchObject({ code: 4, stderr: expect.stringContaining(wayOut) });
    const [login] = (await onCopy('doctor', '--json')).records.filter(({ ok }) => ok === false);
    const listening = (await onCopy('listen')).stderr;
    expect([login?.name, listening]).toEqual(['login', `sealwire: ${login?.detail}; ${login?.fix}\n`]);
    expect(login?.fix).toContain(wayOut);
    expect((await onCopy('logout', '--yes')).code).toBe(0);
    expect((await onCopy('whoami')).code).toBe(2);
  });
});

describe('a LIME device that waits', () => {
  const id = 'sip:bob@localhost;gr=urn:uuid:phone';
  const identityKey = nodeCrypto().ed25519.publicKey(new Uint8Array(32).fill(7));
  const hex = Buffer.from(identityKey).toString('hex');
  const waiting = {
    id,
    state: 'waiting',
    identities: [{ curve: 'c25519', identityKey: Buffer.from(identityKey).toString('base64url') }],
    curves: ['c25519'],
    addedAt: 0,
    current: false,
  };
  let published: string[];

  /** The real server, to which a device is added that it does not know; nothing is published. */
  const withWaiting: typeof fetch = async (input, init) => {
    const { pathname } = new URL(String(input));
    if (init?.method === 'PUT') {
      published.push(pathname);
      return Response.json({}, { status: 500 });
    }
    const response = await fetch(input, init);
    if (!pathname.endsWith('/v1/devices')) return response;
    const { devices } = (await response.json()) as { devices: unknown[] };
    return Response.json({ devices: [...devices, waiting] });
  };
  const asBob = (input: string | undefined, ...args: string[]) =>
    sealwire(home('bob'), ['devices', ...args], {
      env: env(),
      runtime: { ...REAL_RUNTIME, fetch: withWaiting },
      ...(input === undefined ? {} : { terminal: true, input }),
    });

  beforeEach(() => {
    published = [];
  });

  it('is listed with all of its identity key, for people and for programs', async () => {
    const { stdout, stderr } = await asBob(undefined);
    expect(stdout).toContain(
      `${id}  c25519  1970-01-01T00:00:00.000Z  (waiting)\n  c25519  ${hex.match(/.{4}/g)?.join(' ')}\n`,
    );
    expect(stderr).toContain('sealwire devices admit');
    const { records } = await asBob(undefined, '--json');
    expect(records.at(-1)).toEqual({
      event: 'device',
      state: 'waiting',
      id,
      curves: ['c25519'],
      addedAt: 0,
      current: false,
      identities: [{ curve: 'c25519', identityKey: hex }],
    });
  });

  it('is not admitted unless the user says yes to its keys', async () => {
    for (const answer of ['n\n', '\n', 'maybe\n']) {
      const { code, stderr } = await asBob(answer, 'admit', id);
      expect([code, stderr]).toEqual([1, expect.stringContaining('not admitted')]);
      expect(stderr).toContain(`  c25519  ${hex.match(/.{4}/g)?.join(' ')}\n`);
    }
    const { code, stderr } = await asBob(undefined, 'admit', id);
    expect([code, stderr]).toEqual([2, expect.stringContaining('then give --yes')]);
    expect(published).toEqual([]);
  });

  it.each([
    ['yes', 'y\n', []],
    ['yes beforehand', undefined, ['--yes']],
  ])('is admitted by %s: the next manifest is published', async (_how, input, options) => {
    await asBob(input, 'admit', id, ...options);
    expect(published).toEqual(['/directory/manifests/bob']);
  });

  it('has to wait under that id', async () => {
    const { code, stderr } = await asBob(undefined, 'admit', 'sip:bob@localhost;gr=urn:uuid:other', '--yes');
    expect([code, stderr]).toEqual([1, expect.stringContaining('no device')]);
  });
});
