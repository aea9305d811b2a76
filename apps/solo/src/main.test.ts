/** The real process, as `npm start` runs it: what it says, what it leaves on the disk, and every mistake in one line. */
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, jest } from '@jest/globals';
import { freePort } from '@sealwire/bus/testing/free-port';
import { serverProcesses } from '@sealwire/service/testing/server-process';

jest.setTimeout(30_000);

const { folder, start: solo } = serverProcesses(import.meta.url);
const LISTEN = ['--listen', '127.0.0.1:0'];

describe('npm start', () => {
  it('says where it listens and what to type next, keeps its secrets to itself, and ends in order', async () => {
    const data = join(folder, 'first');
    const first = solo([...LISTEN, '--data-dir', data]);
    const text = await first.says(/-t bob\n/);
    const origin = /http:\/\/localhost:\d+/.exec(text)?.[0] as string;
    expect(text).toContain(
      `  npx --no sealwire register -u alice -s ${origin}\n  npx --no sealwire register -u bob -s ${origin}\n  npx --no sealwire chat -u alice -t bob\n`,
    );
    for (const path of ['/livez', '/readyz', '/version', '/metrics', '/.well-known/sealwire'])
      expect([path, (await fetch(origin + path)).status]).toEqual([path, 200]);
    expect((await fetch(`${origin}/directory/manifests/nobody`)).status).toBe(404);
    expect((await fetch(`${origin}/relay`)).status).toBe(426);

    expect(statSync(data).mode & 0o777).toBe(0o700);
    const secret = join(data, 'secrets/token.key');
    expect([statSync(join(data, 'secrets')).mode & 0o777, statSync(secret).mode & 0o777]).toEqual([0o700, 0o600]);
    expect(statSync(join(data, 'secrets/app-passwords.key')).mode & 0o777).toBe(0o600);
    const key = readFileSync(secret, 'utf8');
    expect(text).not.toContain(key.trim());

    first.child.kill('SIGTERM');
    expect(await first.ended).toMatchObject({ code: 0, stderr: '' });

    const second = solo([...LISTEN, '--data-dir', data]);
    await second.says(/-t bob\n/);
    expect(readFileSync(secret, 'utf8')).toBe(key);
    second.child.kill('SIGKILL');
    await second.ended;
    // Killed without a word: it starts on the same folder again.
    await solo([...LISTEN, '--data-dir', data]).says(/-t bob\n/);
  });

  it('--lime-path / puts LIME at the root, beside the API and not in its way', async () => {
    const text = await solo([...LISTEN, '--data-dir', join(folder, 'root')], { LIME_PATH: '/' }).says(/-t bob\n/);
    const origin = /http:\/\/localhost:\d+/.exec(text)?.[0] as string;
    const status = async (path: string, method: string) => (await fetch(origin + path, { method })).status;
    for (const path of ['/', '/lime']) expect([path, await status(path, 'POST')]).toEqual([path, 401]);
    expect([await status('/', 'GET'), await status('/', 'DELETE')]).toEqual([405, 405]);
    expect(await status('/v1/devices', 'GET')).toBe(401);
    expect(await status('/v1/accounts', 'POST')).toBe(400);
    for (const path of ['/.well-known/sealwire', '/livez', '/version'])
      expect([path, await status(path, 'GET')]).toEqual([path, 200]);
    expect([await status('/x', 'POST'), await status('/relay', 'GET')]).toEqual([404, 426]);
  });

  it('--print-config shows what is in effect and where it comes from, and starts nothing', async () => {
    const { code, stdout } = await solo(['--print-config', '--domain', 'example.org'], {
      GATE: 'invitation',
      LIME_PATH: '/x3dh',
      DATA_DIR: './unmade',
    }).ended;
    expect(code).toBe(0);
    expect(stdout).toContain('DOMAIN=example.org  # flag');
    expect(stdout).toContain('GATE=invitation  # environment');
    expect(stdout).toContain('LIME_PATH=/x3dh  # environment');
    expect(stdout).toContain('LISTEN=127.0.0.1:8080  # default');
    expect(readdirSync(folder)).not.toContain('unmade');
  });

  it('--version shows the version, alone on a line, and starts nothing', async () => {
    const { code, stdout, stderr } = await solo(['--version', '--data-dir', './unmade']).ended;
    expect([code, stdout, stderr]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/), '']);
    expect(readdirSync(folder)).not.toContain('unmade');
  });

  it('METRICS_LISTEN takes the metrics away from the address of the clients', async () => {
    const watched = `127.0.0.1:${await freePort()}`;
    const server = solo([...LISTEN, '--data-dir', join(folder, 'watched'), '--metrics-listen', watched]);
    const origin = /http:\/\/localhost:\d+/.exec(await server.says(/-t bob\n/))?.[0] as string;
    expect(await (await fetch(`http://${watched}/metrics`)).text()).toContain('sealwire_relay_connections 0');
    const at = async (address: string) => (await fetch(address)).status;
    expect([await at(`${origin}/metrics`), await at(`${origin}/readyz`)]).toEqual([404, 200]);
    expect(await at(`http://${watched}/v1/devices`)).toBe(404);
  });

  it('PORT gives the default address another port, and an address that is named wins', async () => {
    const port = await freePort();
    const server = solo(['--data-dir', join(folder, 'ported')], { PORT: String(port) });
    expect(await server.says(/-t bob\n/)).toContain(`listens on http://localhost:${port}, `);
    server.child.kill('SIGTERM');
    await server.ended;
    const named = solo([...LISTEN, '--data-dir', join(folder, 'ported')], { PORT: '1' });
    expect(await named.says(/-t bob\n/)).not.toContain('localhost:1,');
    const { stdout } = await solo(['--help']).ended;
    expect(stdout).toMatch(/PORT.*\n(.*\n)+Commands, before the settings: invite, .*verify/);
  });

  it('invite prints a code, alone on stdout, whether the server is stopped, runs, or was killed', async () => {
    const data = join(folder, 'inviting');
    const args = [...LISTEN, '--data-dir', data, '--gate', 'invitation'];
    const invite = async () => {
      const { code, stdout, stderr } = await solo(['invite', '--data-dir', data, '--invite-uses', '2']).ended;
      const words = [expect.stringMatching(/^[\w-]{27}\n$/), expect.stringMatching(/^good for 2 account\(s\) until 2/)];
      expect([code, stdout, stderr]).toEqual([0, ...words]);
      return stdout;
    };
    const codes = [await invite()];
    const server = solo(args);
    await server.says(/-t bob/);
    expect(statSync(join(data, 'admin.sock')).mode & 0o777).toBe(0o600);
    codes.push(await invite());
    server.child.kill('SIGKILL');
    await server.ended;
    expect(readdirSync(data)).toContain('admin.sock');
    codes.push(await invite());
    const again = solo(args);
    await again.says(/-t bob/);
    codes.push(await invite());
    again.child.kill('SIGTERM');
    expect((await again.ended).code).toBe(0);
    expect(readdirSync(data).sort()).toEqual(['blobs', 'secrets', 'store']);

    expect(new Set(codes).size).toBe(4);
  });
});

describe('a data folder that is damaged', () => {
  const DATA_MDB = 'store/data.mdb';
  /** Was served once, and stopped. */
  async function served(name: string): Promise<string> {
    const data = join(folder, name);
    const server = solo([...LISTEN, '--data-dir', data]);
    expect(await server.says(/-t bob\n/)).toContain(`data in ${data} (new)\n`);
    server.child.kill('SIGTERM');
    await server.ended;
    return data;
  }

  it('T89: is not taken for a new one when its store is gone, and is when nothing is left', async () => {
    const data = await served('gone');
    rmSync(join(data, 'store'), { recursive: true });
    const { code, stdout, stderr } = await solo([...LISTEN, '--data-dir', data]).ended;
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      `solo: DATA_DIR: ${data}/${DATA_MDB} is missing or empty, but ${data}/secrets/token.key is there — restore the folder from a backup, or empty ${data} to begin anew, with nothing\n`,
    );
    rmSync(data, { recursive: true });
    await solo([...LISTEN, '--data-dir', data]).says(/\(new\)/);
  });

  it('T89: is refused with one line when its store was cut', async () => {
    const data = await served('cut');
    // The last pages may be free ones, of which nobody misses anything.
    truncateSync(join(data, DATA_MDB), 10_000);
    const { code, signal, stderr } = await solo([...LISTEN, '--data-dir', data]).ended;
    expect([code, signal]).toEqual([2, null]);
    expect(stderr).toMatch(/^solo: DATA_DIR: the file .*data\.mdb was cut to 10000 bytes, .* from a backup\n$/);
  });

  it('is verified and repaired when the server is stopped; `stop` waits for that', async () => {
    const data = await served('repaired');
    const look = async (command: string) => {
      const { code, stdout, stderr } = await solo([command, '--data-dir', data]).ended;
      return [code, stdout, stderr];
    };
    expect(await look('verify')).toEqual([
      0,
      '',
      expect.stringMatching(/^verify: 0 accounts, .*: nothing is damaged\n$/),
    ]);
    const killed = solo([...LISTEN, '--data-dir', data]);
    await killed.says(/-t bob\n/);
    expect((await look('verify')).slice(0, 2)).toEqual([2, '']);
    killed.child.kill('SIGKILL');
    await killed.ended;
    rmSync(join(data, 'store/journal.dat'));
    rmSync(join(data, 'store/journal.mark'));
    const fault = 'journal.dat: is missing, and what was accepted last with it\n';
    expect((await look('verify')).slice(0, 2)).toEqual([1, fault]);
    const refused = await solo([...LISTEN, '--data-dir', data, '--when-store-damaged', 'stop']).ended;
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/is damaged, .* npm start -- repair\n$/)]);
    expect((await look('repair')).slice(0, 2)).toEqual([0, '']);
    await solo([...LISTEN, '--data-dir', data, '--when-store-damaged', 'stop']).says(/-t bob\n/);
  }, 90_000);

  it('is repaired aloud without being asked', async () => {
    const data = await served('loud');
    const killed = solo([...LISTEN, '--data-dir', data]);
    await killed.says(/-t bob\n/);
    killed.child.kill('SIGKILL');
    await killed.ended;
    rmSync(join(data, 'store/journal.dat'));
    rmSync(join(data, 'store/journal.mark'));
    const server = solo([...LISTEN, '--data-dir', data]);
    const text = await server.says(/-t bob\n/);
    expect(text).toMatch(/"level":"error".*"reason":"a part that cannot be read: log; see npm start -- verify"/);
    const origin = /http:\/\/localhost:\d+/.exec(text)?.[0] as string;
    expect(await (await fetch(`${origin}/metrics`)).text()).toContain('sealwire_store_damages_total{part="log"} 1');
    expect((await fetch(`${origin}/readyz`)).status).toBe(200);
  });
});

describe('K14: a mistake is one line with the fix, and exit code 2', () => {
  const file = join(folder, 'a-file');
  writeFileSync(file, '');
  it.each([
    ['an unknown word', ['nonsense'], 'nonsense: there is no such command — the commands are invite, '],
    ['a slip in a command', ['verfy'], 'did you mean verify?'],
    ['a slip in a command of the administrator', ['verify', 'all'], 'all: there is no such command'],
    ['an unknown flag', ['--lisen', '127.0.0.1:1'], 'did you mean --listen?'],
    ['an address of another machine', ['--listen', '192.0.2.1:8080'], 'this machine has no address 192.0.2.1'],
    ['a data folder that is a file', ['--data-dir', file], 'choose another folder with --data-dir'],
    ['a data folder below a file', ['--data-dir', join(file, 'data')], 'choose another folder with --data-dir'],
  ])('%s', async (_what, args, fix) => {
    const { code, stdout, stderr } = await solo(args).ended;
    expect([code, stdout, stderr.trim().split('\n').length]).toEqual([2, '', 1]);
    expect(stderr).toContain(fix);
  });

  it('a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await solo(['--listen', `127.0.0.1:${port}`, '--data-dir', join(folder, 'busy')]).ended;
    other.close();
    expect([code, stderr.trim().split('\n').length]).toEqual([2, 1]);
    expect(stderr).toContain(
      `127.0.0.1:${port} is in use by another process — stop it, or choose another port with --listen`,
    );
  });

  it('a data folder that another server has', async () => {
    const data = join(folder, 'taken');
    const first = solo([...LISTEN, '--data-dir', data]);
    await first.says(/-t bob/);
    const { code, stdout, stderr } = await solo([...LISTEN, '--data-dir', data]).ended;
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      `solo: DATA_DIR: the data folder ${data}/store is in use by process ${first.child.pid}, and one process at a time owns a folder; stop it, or choose another folder\n`,
    );
  });

  it('a folder on a file system without sockets', async () => {
    const plain = fileURLToPath(new URL('../../../infra/scripts/plain-file-system.mjs', import.meta.url));
    const env = { NODE_OPTIONS: `--import ${plain}` };
    const { code, stderr } = await solo([...LISTEN, '--data-dir', join(folder, 'plain')], env).ended;
    expect([code, stderr.trim().split('\n').length]).toEqual([2, 1]);
    expect(stderr).toContain(
      'has no sockets (EIO), as exFAT and network shares have none; choose a folder on another one',
    );
  });

  it('a folder that is not writable', async () => {
    // The superuser may write into any folder of a disk, but nobody makes one in /sys.
    const closed = process.platform === 'linux' ? '/sys' : join(folder, 'closed');
    if (process.platform !== 'linux') mkdirSync(closed, { mode: 0o500 });
    const { code, stderr } = await solo([...LISTEN, '--data-dir', join(closed, 'sealwire')]).ended;
    expect([code, stderr]).toEqual([2, expect.stringContaining('is not writable for this user')]);
  });

  it('a secret that others may read', async () => {
    const data = join(folder, 'leaky');
    mkdirSync(join(data, 'secrets'), { recursive: true });
    writeFileSync(join(data, 'secrets/token.key'), 'x', { mode: 0o644 });
    const { code, stderr } = await solo([...LISTEN, '--data-dir', data]).ended;
    expect([code, stderr]).toEqual([2, expect.stringContaining('run: chmod 600')]);
  });
});
