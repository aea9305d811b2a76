/** Both adapters under the contract; then what is each one's own, and mistakes in the URL. SMTP is spoken with a real server. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { type MailPlace, mailerContract } from './contract.ts';
import { openMailer } from './open.ts';

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const options = { from: 'no-reply@example.org', now: () => 1_800_000_000_000, random, written: () => undefined };
const mail = { to: 'alice@example.com', subject: 'A code', text: 'abc' };
const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function newFolder(): Promise<MailPlace & { folder: string }> {
  const folder = join(mkdtempSync(join(tmpdir(), 'sealwire-mail-')), 'mail');
  // A file's name has the time in it, and files of one time no order.
  let now = options.now();
  return {
    folder,
    open: () => openMailer(`folder:${folder}`, { ...options, now: () => now++ }),
    arrived: async () =>
      readdirSync(folder)
        .sort()
        .map((name) => readFileSync(join(folder, name), 'utf8')),
    remove: async () => rmSync(join(folder, '..'), { recursive: true }),
  };
}

async function newServer(
  more: SMTPServerOptions = {},
  host = '127.0.0.1',
): Promise<MailPlace & { port: number; closed: () => Promise<void> }> {
  const arrived: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    logger: false,
    ...more,
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        arrived.push(Buffer.concat(chunks).toString());
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.server.address() as AddressInfo;
  const closed = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return {
    port,
    closed,
    open: () => openMailer(`smtp://${host}:${port}`, options),
    arrived: async () => arrived,
    remove: closed,
  };
}

mailerContract('folder', newFolder);
mailerContract('SMTP', () => newServer());

describe('a folder', () => {
  it('is for its user only, holds whole mails, and its files are told', async () => {
    const place = await newFolder();
    open.push(place.remove);
    const told: string[] = [];
    const mailer = await openMailer(`folder:${place.folder}`, { ...options, written: (file) => told.push(file) });
    await mailer.send(mail);
    const [name, ...more] = readdirSync(place.folder);
    expect(more).toEqual([]);
    expect(told).toEqual([join(place.folder, name!)]);
    expect(statSync(told[0]!).mode & 0o777).toBe(0o600);
    expect(statSync(place.folder).mode & 0o777).toBe(0o700);
  });

  it('that is gone is told as unavailable, and nothing half-written stays', async () => {
    const place = await newFolder();
    const mailer = await place.open();
    await place.remove();
    await expect(mailer.send(mail)).rejects.toMatchObject({ name: 'MailError', kind: 'unavailable' });
    expect(existsSync(place.folder)).toBe(false);
  });
});

describe('SMTP', () => {
  async function sending(more: SMTPServerOptions, url?: (port: number) => string): Promise<unknown> {
    const server = await newServer(more);
    open.push(server.closed);
    const mailer = await (url ? openMailer(url(server.port), options) : server.open());
    open.push(() => mailer.close());
    return mailer.send(mail).then(
      () => server.arrived(),
      (error: unknown) => error,
    );
  }
  const refusing = (responseCode: number) => Object.assign(new Error('secret words'), { responseCode });

  it('logs in with the user and the password of the URL, odd characters and all', async () => {
    const seen: unknown[] = [];
    const more: SMTPServerOptions = {
      authOptional: false,
      onAuth({ username, password }, _session, done) {
        seen.push([username, password]);
        done(null, { user: username });
      },
    };
    const sent = await sending(more, (port) => `smtp://me%40example.org:p%3A%2Fq@127.0.0.1:${port}`);
    expect(sent).toHaveLength(1);
    expect(seen).toEqual([['me@example.org', 'p:/q']]);
  });

  it.each([
    [550, 'refused'],
    [450, 'unavailable'],
  ])('an address that the server answers %i for is %s, and the words are not repeated', async (code, kind) => {
    const error = await sending({ onRcptTo: (_address, _session, done) => done(refusing(code)) });
    expect(error).toMatchObject({ name: 'MailError', kind });
    expect((error as Error).message).not.toContain('secret words');
  });

  it('a server that refuses the sender or the login is unavailable: the address is not at fault', async () => {
    expect(await sending({ onMailFrom: (_address, _session, done) => done(refusing(550)) })).toMatchObject({
      kind: 'unavailable',
    });
    const login = (port: number) => `smtp://me:wrong@127.0.0.1:${port}`;
    const more: SMTPServerOptions = { authOptional: false, onAuth: (_auth, _session, done) => done(refusing(535)) };
    expect(await sending(more, login)).toMatchObject({ kind: 'unavailable' });
  });

  it('a server that is not there, or drops the line, is unavailable', async () => {
    const dropping = await sending({ onConnect: (_session, done) => done(refusing(421)) });
    expect(dropping).toMatchObject({ kind: 'unavailable' });
    const server = await newServer();
    await server.closed();
    await expect((await server.open()).send(mail)).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('says nothing in the clear to a machine that is not this one, not even its password', async () => {
    const said: string[] = [];
    const more: SMTPServerOptions = {
      disabledCommands: ['STARTTLS'],
      onAuth: (_auth, _session, done) => done(null, { user: 'me' }),
      onMailFrom: ({ address }, _session, done) => {
        said.push(address);
        done();
      },
    };
    // No name of this machine, as far as the adapter knows.
    const server = await newServer(more, '127.0.0.2');
    open.push(server.closed);
    const mailer = await openMailer(`smtp://me:hush@127.0.0.2:${server.port}`, options);
    await expect(mailer.send(mail)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('STARTTLS'),
    });
    expect(said).toEqual([]);
  });
});

describe('a URL', () => {
  it.each([
    ['', 'is none'],
    ['mail.example.org', 'is none'],
    ['http://user:hush@mail.example.org', 'is none'],
    ['smtp://', 'is none'],
    ['smtp://user:hush@mail.example.org/?pool=true', 'leave out'],
    ['smtp://user:hush@mail.example.org/path', 'leave out'],
    ['folder:', 'is none'],
  ])('%s is refused in one line, without its password', async (url, part) => {
    const error = await openMailer(url, options).catch((cause: unknown) => cause as Error);
    expect((error as Error).message).toContain(part);
    expect((error as Error).message).not.toMatch(/hush|\n/);
  });

  it('with a sender that is none is refused', async () => {
    await expect(openMailer('folder:/tmp/x', { ...options, from: 'nobody' })).rejects.toThrow('no mail address');
  });
});
