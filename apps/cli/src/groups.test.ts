/** Groups from the command line: made, joined, written to, shown; also while another process has the keys (docs/cli.md). */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { type InProcess, openInProcess, REAL_RUNTIME } from './testing/in-process.ts';
import { startServer } from './testing/processes.ts';
import type { Result } from './testing/result.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'sealwire-groups-'));
const passphraseFile = join(folder, 'passphrase');
let server: Awaited<ReturnType<typeof startServer>>;

const open = (name: string, ...args: string[]): InProcess => {
  const env = { SEALWIRE_SERVER: server.origin, SEALWIRE_PASSPHRASE_FILE: passphraseFile };
  return openInProcess(join(folder, name), args, { runtime: REAL_RUNTIME, env });
};
const as = (name: string, ...args: string[]): Promise<Result> => open(name, ...args).ended;
const records = ({ stdout }: Result) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

beforeAll(async () => {
  writeFileSync(passphraseFile, 'correct horse battery staple\n', { mode: 0o600 });
  server = await startServer(join(folder, 'server'), ['--logins-per-device', '0', '--logins-per-address', '0']);
  for (const name of ['alice', 'bob', 'carol']) {
    mkdirSync(join(folder, name));
    expect(await as(name, 'register', '-u', name, '--curve', 'c25519')).toMatchObject({ code: 0 });
  }
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

it('are made, joined, written to and left', async () => {
  const made = await as('alice', 'group', 'create', '--name', 'trio', '--member', 'bob', '--member', 'carol');
  expect(made.stdout).toMatch(
    /^trio: you are an administrator, 1 member {2}sip:.*@group\.invalid\n {2}alice \(administrator\)\n {2}bob \(invited\)\n {2}carol \(invited\)\n$/,
  );
  expect((await as('bob', 'listen', '--until-caught-up')).stderr).toContain(
    'alice invites you to trio: sealwire group join "trio", or group decline\n',
  );
  expect((await as('bob', 'group')).stdout).toMatch(/^trio: you are invited/);
  expect((await as('bob', 'group', 'join', 'trio')).stdout).toMatch(/^trio: you are a member, 2 members/);
  const { stderr } = await as('alice', 'listen', '--until-caught-up');
  expect(stderr).toContain('trio: bob is in the group now\n');

  expect(await as('alice', 'send', '-g', 'trio', '-m', 'hello')).toMatchObject({
    code: 0,
    stdout: 'accepted for trio\n',
  });
  expect((await as('bob', 'listen', '--until-caught-up')).stdout).toBe('alice (in trio): hello\n');
  const [group] = records(await as('bob', 'group', 'show', 'trio', '--json'));
  expect(group).toMatchObject({
    event: 'group',
    name: 'trio',
    standing: 'member',
    members: [{ role: 'administrator' }, { role: 'member' }],
    lifetime: 0,
  });
  await as('carol', 'listen', '--until-caught-up');
  expect((await as('carol', 'group', 'decline', 'trio')).code).toBe(0);
  const refused = await as('bob', 'group', 'rename', 'trio', 'mine');
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('only an administrator')]);
  const nowhere = await as('bob', 'send', '-g', 'nowhere', '-m', 'x');
  expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining('no group nowhere here')]);
  expect((await as('bob', 'send', '-m', 'x')).stderr).toContain('give -t ADDRESS or -g GROUP');
  expect((await as('bob', 'group', 'leave', 'trio')).code).toBe(0);
});

it('are worked on by the process that has the keys; a link lets somebody in', async () => {
  const listen = open('alice', 'listen', '--json');
  await listen.says('caught-up');
  await as('alice', 'group', 'create', '--name', 'house');
  const link = (await as('alice', 'group', 'link', 'house', '--hours', '1', '--uses', '2')).stdout.trim();
  expect(link).toMatch(/^sealwire-group-1:/);
  expect((await as('carol', 'group', 'join', link)).stdout).toContain('asked to be let in');
  // The answer is in carol's mailbox soon.
  let standing = '';
  while (!standing.includes('house')) standing = (await as('carol', 'listen', '--until-caught-up')).stderr;
  expect((await as('carol', 'send', '-g', 'house', '-m', 'thanks')).stdout).toBe('accepted for house\n');
  await listen.says('"text":"thanks"');
  const [{ links }] = records(await as('alice', 'group', 'show', 'house', '--json')) as [
    { links: { id: string; used: number }[] },
  ];
  expect(links).toMatchObject([{ used: 1, uses: 2 }]);
  expect((await as('alice', 'group', 'revoke', 'house', links[0]!.id)).code).toBe(0);
  expect((await as('alice', 'group', 'show', 'house')).stdout).not.toContain('link');
  listen.interrupt();
  expect((await listen.ended).stdout).toContain('"change":{"kind":"joined-by-link"}');
});

it('have a picture, which members fetch, and which goes again', async () => {
  const picture = join(folder, 'us.png');
  writeFileSync(picture, Buffer.from([0x89, 0x50, 0x4e, 0x47, 1, 2, 3]));
  await as('alice', 'group', 'create', '--name', 'album', '--member', 'bob');
  await as('bob', 'listen', '--until-caught-up');
  await as('bob', 'group', 'join', 'album');
  await as('alice', 'listen', '--until-caught-up');
  const text = await as('alice', 'group', 'picture', 'album', passphraseFile);
  expect([text.code, text.stderr]).toEqual([2, expect.stringContaining('is no picture, by its name')]);
  expect((await as('alice', 'group', 'picture', 'album', picture)).stdout).toContain(
    'picture: us.png (image/png, 7 bytes)',
  );

  // The process that has the keys fetches it.
  const listen = open('bob', 'listen', '--json');
  await listen.says('"change":{"kind":"picture"}');
  const [shown] = records(await as('bob', 'group', 'show', 'album', '--json'));
  expect(shown).toMatchObject({ picture: { name: 'us.png', type: 'image/png', size: 7 } });
  const fetched = join(folder, 'fetched.png');
  expect((await as('bob', 'group', 'picture', 'album', '-o', fetched)).code).toBe(0);
  expect(readFileSync(fetched)).toEqual(readFileSync(picture));
  listen.interrupt();
  await listen.ended;
  const refused = await as('bob', 'group', 'picture', 'album', '--none');
  expect(refused.stderr).toContain('only an administrator');
  expect((await as('alice', 'group', 'picture', 'album', '--none')).stdout).not.toContain('picture');
  const none = await as('alice', 'group', 'picture', 'album', '-o', fetched);
  expect(none.stderr).toContain('album has no picture');
  expect((await as('alice', 'group', 'picture', 'album')).stderr).toContain('give a picture, --none or -o PATH');
});

it('messages are answered, edited, reacted to and deleted, there and in pairs', async () => {
  const said = (name: string) => as(name, 'listen', '--until-caught-up', '--json').then(records);
  const [sent] = records(await as('alice', 'send', '-t', 'bob', '-m', 'at eight', '--json'));
  const id = sent!.id as string;
  const listen = open('alice', 'listen', '--json');
  await listen.says('caught-up');
  expect(await as('alice', 'edit', id, '-t', 'bob', '-m', 'at nine')).toMatchObject({ code: 0 });
  expect(await said('bob')).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ event: 'message', id, text: 'at eight' }),
      expect.objectContaining({ event: 'message-edited', id, text: 'at nine' }),
    ]),
  );
  expect(await as('bob', 'reply', id, '-t', 'alice', '-m', 'yes')).toMatchObject({ code: 0 });
  await listen.says(`"reply":{"id":"${id}","sender":"sip:alice@`);
  expect((await as('bob', 'react', id, '👍', '-t', 'alice')).stdout).toBe('accepted for alice\n');
  await listen.says('"emoji":"👍"');
  expect((await as('bob', 'react', id, '-t', 'alice')).code).toBe(0);
  await listen.says('"emoji":""');
  expect((await as('alice', 'delete', id, '-t', 'bob')).code).toBe(0);
  expect(await said('bob')).toEqual(
    expect.arrayContaining([expect.objectContaining({ event: 'message-deleted', id })]),
  );
  listen.interrupt();
  await listen.ended;
  expect((await as('alice', 'reply', id, '-g', 'house', '-m', 'x')).stderr).toContain('in a group give --author');
  expect((await as('alice', 'react', id, '👍')).stderr).toContain('give -t ADDRESS or -g GROUP');
});

it('T189: a device that is kept out is named, and the others get the message, by --leave-out', async () => {
  await as('alice', 'group', 'invite', 'house', 'bob');
  await as('bob', 'listen', '--until-caught-up');
  await as('bob', 'group', 'join', 'house');
  await as('alice', 'listen', '--until-caught-up');
  expect(await as('alice', 'verify', 'bob', '--yes')).toMatchObject({ code: 0 });
  expect((await as('alice', 'trust', 'policy', 'trusted-only')).code).toBe(0);
  const refused = await as('alice', 'send', '-g', 'house', '-m', 'to all');
  expect([refused.code, refused.stderr]).toEqual([expect.any(Number), expect.stringContaining('is not trusted')]);
  const [carol] = records(await as('carol', 'whoami', '--json'));
  const sent = await as('alice', 'send', '-g', 'house', '-m', 'to bob', '--leave-out', '--json');
  expect(records(sent)).toMatchObject([{ event: 'accepted', keptOut: [carol!.device] }]);
  expect(sent.stderr).toContain('kept out, and does not get the message');
  expect((await as('bob', 'listen', '--until-caught-up')).stdout).toContain('alice (in house): to bob');
});
