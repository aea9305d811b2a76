/** `backup` and `restore` as real processes, in a folder that is no clone of this repository. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { serverProcesses } from '@sealwire/service/testing/server-process';

jest.setTimeout(60_000);

const { folder, start: solo } = serverProcesses(import.meta.url);
const LISTEN = ['--listen', '127.0.0.1:0'];
const inFolder = (...names: string[]) => join(folder, ...names);

/** The exit code and what was said. */
async function run(...args: string[]): Promise<[number | null, string, string]> {
  const { code, stdout, stderr } = await solo(args).ended;
  return [code, stdout, stderr];
}

describe('backup and restore', () => {
  const secrets = ['token.key', 'app-passwords.key', 'directory.key'];
  const secretsIn = (data: string) => secrets.map((name) => readFileSync(inFolder(data, 'secrets', name), 'utf8'));

  beforeAll(async () => {
    const server = solo([...LISTEN, '--data-dir', 'data']);
    await server.says(/-t bob\n/);
    mkdirSync(inFolder('data', 'attachments'));
    writeFileSync(inFolder('data', 'attachments', 'a'), 'an attachment');
    for (const part of ['files/ab/abc', 'uploads/def.1']) {
      mkdirSync(inFolder('data', 'blobs', part), { recursive: true });
      writeFileSync(inFolder('data', 'blobs', part, '1'), 'an encrypted file');
    }
    // The server runs.
    expect(await run('backup', 'kept/backup', '--data-dir', 'data')).toEqual([
      0,
      '',
      expect.stringMatching(
        /^backup: \S+\/kept\/backup has the store, attachments\/a, secrets\/app-passwords\.key, secrets\/directory\.key, secrets\/token\.key: keep it as secret .*\nbackup: 0 accounts, .*: nothing is damaged\n$/,
      ),
    ]);
    server.child.kill('SIGKILL');
    await server.ended;
  });

  it('K12: cover all of the data folder, for this user only, and give back the same', async () => {
    const paths = readdirSync(inFolder('kept'), { recursive: true }) as string[];
    expect(paths.sort()).toEqual([
      'backup',
      'backup/attachments',
      'backup/attachments/a',
      'backup/backup.json',
      'backup/blobs',
      'backup/blobs/files',
      'backup/blobs/files/ab',
      'backup/blobs/files/ab/abc',
      'backup/blobs/files/ab/abc/1',
      'backup/secrets',
      'backup/secrets/app-passwords.key',
      'backup/secrets/directory.key',
      'backup/secrets/token.key',
      'backup/store',
      'backup/store/data.mdb',
      'backup/store/journal.dat',
      'backup/store/journal.mark',
    ]);
    expect(JSON.parse(readFileSync(inFolder('kept/backup/backup.json'), 'utf8'))).toMatchObject({ kind: 'lmdb' });
    for (const path of paths) {
      const { mode } = statSync(inFolder('kept', path));
      expect([path, mode & 0o077]).toEqual([path, 0]);
    }

    const [code, stdout, stderr] = await run('restore', 'kept/backup', '--data-dir', 'elsewhere/data');
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(
      /nothing is damaged\nrestore: \S+\/elsewhere\/data is restored\nrestore: what was accepted since 20[-\dT:.]+Z \(\d+ minutes\) is gone, and devices are told; 0 one-time keys .*\n$/,
    );
    expect(secretsIn('elsewhere/data')).toEqual(secretsIn('data'));
    expect(readFileSync(inFolder('elsewhere/data/attachments/a'), 'utf8')).toBe('an attachment');
    const server = solo([...LISTEN, '--data-dir', 'elsewhere/data', '--when-store-damaged', 'stop']);
    expect(await server.says(/-t bob\n/)).not.toContain('(new)');
    expect(secretsIn('elsewhere/data')).toEqual(secretsIn('data'));
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    expect(readdirSync(inFolder('elsewhere/data')).sort()).toEqual(['attachments', 'blobs', 'secrets', 'store']);
  });

  it.each([
    ['onto what is there', ['backup', 'kept/backup', '--data-dir', 'data'], /kept\/backup: is there already/],
    ['into the data folder', ['backup', 'data/backup', '--data-dir', 'data'], /lies in the data folder/],
    ['of nothing', ['backup', 'kept/other', '--data-dir', 'nowhere'], /there is no store in \S+nowhere/],
    ['to nowhere', ['backup', '--data-dir', 'data'], /FOLDER: is missing/],
    ['to a place that cannot be written', ['backup', 'a-file/backup', '--data-dir', 'data'], /a-file.*\(E/],
    ['back from what is none', ['restore', 'kept', '--data-dir', 'new'], /kept: is no backup/],
    ['back into what is used', ['restore', 'kept/backup', '--data-dir', 'data'], /data is not empty — name another/],
    ['back to a file', ['restore', 'kept/backup', '--data-dir', 'a-file'], /a-file is no folder/],
  ])('do not copy %s, and say so in one line', async (_, args, line) => {
    writeFileSync(inFolder('a-file'), '');
    const before = readdirSync(folder, { recursive: true }).sort();
    const [code, stdout, stderr] = await run(...args);
    expect([code, stdout, stderr.trim().split('\n').length]).toEqual([2, '', 1]);
    expect(stderr).toMatch(line);
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
  });

  it('do not restore a backup that is damaged', async () => {
    expect((await run('backup', 'kept/damaged', '--data-dir', 'data'))[0]).toBe(0);
    truncateSync(inFolder('kept/damaged/store/journal.dat'), 0);
    rmSync(inFolder('kept/damaged/store/journal.mark'));
    mkdirSync(inFolder('empty'));
    const [code, stdout, stderr] = await run('restore', 'kept/damaged', '--data-dir', 'empty');
    expect([code, stdout]).toEqual([1, expect.stringContaining('journal.dat: ')]);
    expect(stderr).toContain('nothing is restored');
    expect(readdirSync(inFolder('empty'))).toEqual([]);
    // An empty folder may be there, such as the root of a file system.
    mkdirSync(inFolder('empty', 'lost+found'));
    expect((await run('restore', 'kept/backup', '--data-dir', 'empty'))[0]).toBe(0);
  });

  it('of a damaged store say so, and keep what there is', async () => {
    expect((await run('restore', 'kept/backup', '--data-dir', 'hurt'))[0]).toBe(0);
    const server = solo([...LISTEN, '--data-dir', 'hurt']);
    await server.says(/-t bob\n/);
    server.child.kill('SIGKILL');
    await server.ended;
    rmSync(inFolder('hurt/store/journal.dat'));
    rmSync(inFolder('hurt/store/journal.mark'));
    const [code, stdout] = await run('backup', 'kept/hurt', '--data-dir', 'hurt');
    expect([code, stdout]).toEqual([1, expect.stringContaining('journal.dat: ')]);
    const names = ['attachments', 'backup.json', 'blobs', 'secrets', 'store'];
    expect(readdirSync(inFolder('kept/hurt')).sort()).toEqual(names);
  });
});
