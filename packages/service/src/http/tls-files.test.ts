import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { connect, type SecureContextOptions } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createHealth } from '../observe/health.ts';
import { createLog, silentLog } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { selfSigned, writeSelfSigned } from '../testing/self-signed.ts';
import { type Listening, type ListenOptions, listen } from './listen.ts';
import { readTls, tlsFilesOf, watchTls } from './tls-files.ts';

const first = selfSigned('first');
const second = selfSigned('second');
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function write(pair = first) {
  const files = writeSelfSigned(pair);
  cleanUps.push(() => rmSync(files.folder, { recursive: true }));
  return files;
}

async function start(options: Partial<ListenOptions> = {}) {
  const files = write();
  const lines: string[] = [];
  const log = createLog({ server: 'test', level: 'info', now: () => 0, write: (line) => lines.push(line) });
  const metrics = createMetrics();
  const ready = async () => {};
  const door = {
    handle: (_: unknown, response: { end(text: string): void }) => response.end('hello'),
    ready,
    close: ready,
  };
  const health = createHealth({ server: 'test', version: '1', ready, metrics, log, now: () => 0 });
  const listening = await listen({
    address: { host: '127.0.0.1', port: 0 },
    routes: [{ prefix: '/', door }],
    health,
    log,
    metrics,
    tls: files,
    ...options,
  });
  cleanUps.push(() => listening.close());
  return { files, lines, listening };
}

/** The body, as a client gets it that trusts this certificate and no other. */
function get({ port }: Listening, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: 'localhost', family: 4, port, path: '/', ca, agent: false }, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve(text);
    });
    sent.on('error', reject).end();
  });
}

describe('a server that speaks TLS itself', () => {
  it('shows its certificate, and says https of itself', async () => {
    const { listening } = await start();
    expect(listening.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await get(listening, first.certificate)).toBe('hello');
    await expect(get(listening, second.certificate)).rejects.toThrow(/self-signed|unable to verify/);
  });

  it('shows a renewed one to new connections, without a restart; the open ones stay', async () => {
    const { files, lines, listening } = await start();
    const open = connect({ host: '127.0.0.1', port: listening.port, ca: first.certificate, servername: 'localhost' });
    await once(open, 'secureConnect');
    writeFileSync(files.certificate, second.certificate);
    writeFileSync(files.key, second.key);
    listening.reloadCertificate?.();
    expect(await get(listening, second.certificate)).toBe('hello');
    await expect(get(listening, first.certificate)).rejects.toThrow();
    expect(lines.join('')).toContain('certificate-read-again');
    open.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    let answer = '';
    for await (const chunk of open) answer += chunk;
    expect(answer).toContain('hello');
  });

  it('keeps the old one when the new files do not fit together, and says so', async () => {
    const { files, lines, listening } = await start();
    writeFileSync(files.certificate, second.certificate);
    listening.reloadCertificate?.();
    expect(await get(listening, first.certificate)).toBe('hello');
    const event = lines.map((line) => JSON.parse(line)).find(({ event }) => event === 'certificate-not-usable');
    expect(event).toMatchObject({ level: 'error', setting: 'TLS_KEY_FILE' });
  });

  it('H04: a peer that never finishes its handshake is cut in time, others are served', async () => {
    const { listening } = await start({ limits: { headersMs: 50 } });
    const silent = connectPlain(listening.port, '127.0.0.1');
    silent.resume();
    const cut = once(silent, 'close');
    expect(await get(listening, first.certificate)).toBe('hello');
    await cut;
  });

  it('ends a connection that speaks plain HTTP, and lives on', async () => {
    const { listening } = await start();
    const socket = connectPlain(listening.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    expect(await get(listening, first.certificate)).toBe('hello');
  });
});

describe('watching the files', () => {
  it('finds a new pair by itself', async () => {
    const files = write();
    const used: unknown[] = [];
    const found = new Promise<void>((resolve) => {
      const use = (context: SecureContextOptions) => {
        used.push(context.cert);
        if (context.cert === second.certificate) resolve();
      };
      cleanUps.push(watchTls(files, readTls(files), use, { log: silentLog, everyMs: 10 }).stop);
    });
    writeFileSync(files.key, second.key);
    writeFileSync(files.certificate, second.certificate);
    await found;
    expect(used.at(-1)).toBe(second.certificate);
  });
});

describe('K14: what can be wrong with the files is one line that names the setting and the fix', () => {
  it('nothing set is plain HTTP; one of two is a mistake', () => {
    expect(tlsFilesOf({})).toBeUndefined();
    expect(() => tlsFilesOf({ TLS_KEY_FILE: 'k' })).toThrow(/^TLS_CERT_FILE: is not set, though TLS_KEY_FILE is — /);
    expect(() => tlsFilesOf({ TLS_CERT_FILE: 'c' })).toThrow(/^TLS_KEY_FILE: is not set, though TLS_CERT_FILE is — /);
  });

  it.each([
    [
      'missing',
      (files: { certificate: string; key: string }) => ({ ...files, certificate: '/nowhere/cert.pem' }),
      /^TLS_CERT_FILE: \/nowhere\/cert\.pem cannot be read \(ENOENT\) — /,
    ],
    [
      'the key where the certificate belongs',
      (files) => ({ ...files, certificate: files.key }),
      /^TLS_CERT_FILE: .* holds no PEM CERTIFICATE — /,
    ],
    [
      'the certificate where the key belongs',
      (files) => ({ ...files, key: files.certificate }),
      /^TLS_KEY_FILE: .* holds no PEM PRIVATE KEY — /,
    ],
    [
      'a key of another',
      (files) => ({ ...files, key: write(second).key }),
      /^TLS_KEY_FILE: .* is not the key of .* — /,
    ],
  ] as [string, (files: { certificate: string; key: string }) => { certificate: string; key: string }, RegExp][])(
    '%s',
    (_, change, line) => {
      expect(() => readTls(change(write()))).toThrow(line);
    },
  );

  it('damaged ones', () => {
    const files = write({ ...first, certificate: first.certificate.replace(/\n[A-Za-z]/, '\n!') });
    expect(() => readTls(files)).toThrow(/^TLS_CERT_FILE: .* cannot be used \(\w+\) — /);
  });
});
