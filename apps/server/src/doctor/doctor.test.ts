/** What `doctor` finds, each thing provoked: in this process, against a front that is whole, and then is not. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { openBlobs } from '@sealwire/blobs/open';
import { MemoryHub, openMemoryBus } from '@sealwire/bus/memory';
import { BusError } from '@sealwire/bus/port';
import { loadConfig } from '@sealwire/service/config';
import { selfSigned } from '@sealwire/service/testing/self-signed';
import { openStore } from '@sealwire/store/open';
import { StoreError } from '@sealwire/store/port';
import { examine, type Patient } from './examine.ts';
import type { Means } from './means.ts';
import { concealing } from './secrets.ts';
import { doctorSettings } from './settings.ts';

jest.setTimeout(60_000);

const NOW = Date.parse('2026-11-29T12:00:00Z');
const GIB = 2 ** 30;
const KNOWN = {
  domain: 'example.org',
  api: '/v1',
  lime: '/lime',
  directory: '/directory',
  relay: '/relay',
  gate: 'open',
  version: '0.1.0',
};
let folder: string;
let servers: Server[];
/** What the front answers, by the beginning of the path. */
let answers: Record<string, [number, object]>;
let date: number;
let onUpgrade: (socket: Duplex) => void;
let free: number;
let patient: Patient;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-doctor-'));
  servers = [];
  answers = {
    '/.well-known': [200, KNOWN],
    '/directory': [404, { code: 'not-found' }],
    '/readyz': [200, { text: 'ready' }],
  };
  date = NOW;
  free = 500 * GIB;
  onUpgrade = (socket) => {
    socket.write(handshake('sealwire.v1'));
    // As the relay, which expects a hello.
    socket.on('data', () => socket.end(Buffer.from([0x82, 1, 0, 0x88, 0])));
  };
  const url = await listening(createServer(front));
  // A store that is there.
  await (await openStore(`lmdb:${join(folder, 'store')}`)).close();
  mkdirSync(join(folder, 'backups/new'), { recursive: true });
  note('new', NOW - 3_600_000);
  patient = patientOf(url);
});

afterEach(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  rmSync(folder, { recursive: true });
});

const front: RequestListener = (request, response) => {
  const [status, body] = Object.entries(answers).find(([path]) => request.url?.startsWith(path))?.[1] ?? [404, {}];
  response.sendDate = false;
  response.writeHead(status, { date: new Date(date).toUTCString(), 'content-type': 'application/problem+json' });
  response.end('text' in body ? String(body.text) : JSON.stringify(body));
};

async function listening(server: Server, scheme = 'http'): Promise<string> {
  servers.push(server);
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => {});
    onUpgrade(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `${scheme}://localhost:${(server.address() as AddressInfo).port}`;
}

function handshake(protocol: string): string {
  return `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-protocol: ${protocol}\r\n\r\n`;
}

function note(name: string, begunAt: number): void {
  const text = { format: 'sealwire-backup 1', kind: 'lmdb', begunAt, endedAt: begunAt, counts: {}, files: {} };
  mkdirSync(join(folder, 'backups', name), { recursive: true });
  writeFileSync(join(folder, 'backups', name, 'backup.json'), JSON.stringify(text));
}

function patientOf(url: string, env: Record<string, string> = {}, means: Partial<Means> = {}): Patient {
  const { port } = new URL(url);
  const known = {
    PUBLIC_ORIGIN: url,
    DOMAIN: 'example.org',
    LISTEN: `127.0.0.1:${port}`,
    STORE_URL: `lmdb:${join(folder, 'store')}`,
    BLOBS_URL: `file:${join(folder, 'files')}`,
    BUS_URL: 'redis://127.0.0.1:1',
    BACKUPS_DIR: join(folder, 'backups'),
  };
  const loaded = loadConfig(doctorSettings, { argv: [], env: { ...known, ...env }, readFile: () => '' });
  if (loaded.action !== 'run') throw new Error('shown');
  const hub = new MemoryHub();
  return {
    settings: loaded.settings,
    parts: {
      openStore,
      lookAtDatabase: async () => ({ clock: undefined, freeBytes: undefined, totalBytes: undefined, toDo: [] }),
      openBus: async () => openMemoryBus(hub),
      openBlobs: () => openBlobs(loaded.settings.BLOBS_URL),
    },
    means: {
      fetch,
      lookup: async () => ['127.0.0.1'],
      now: () => NOW,
      patienceMs: 1_000,
      disk: () => ({ freeBytes: free, totalBytes: 1_000 * GIB }),
      openFiles: () => ({ most: 65_536, open: 40 }),
      ...means,
    },
    probeId: 'doctor-probe',
  };
}

/** `NAME: detail` of what is well, `NAME: detail → fix` of what is not. */
async function findings(of: Patient = patient): Promise<string[]> {
  const lines: string[] = [];
  for await (const { name, detail, fix } of examine(of)) {
    expect(`${detail}${fix ?? ''}`).not.toContain('\n');
    lines.push(`${name}: ${detail}${fix === undefined ? '' : ` → ${fix}`}`);
  }
  return lines;
}

const faults = async (of: Patient = patient) => (await findings(of)).filter((line) => line.includes(' → '));

it('T210: finds nothing wrong with an installation that is whole, and leaves nothing behind', async () => {
  const lines = await findings();
  expect(lines.filter((line) => line.includes(' → '))).toEqual([]);
  expect(lines.map((line) => line.split(':')[0])).toEqual(
    'dns api clock directory relay store bus files disk disk disk files open backup'
      .replace('files open', 'files_open')
      .split(' ')
      .map((name) => name.replace('_', ' ')),
  );
  expect(await (await openBlobs(`file:${join(folder, 'files')}`)).size('doctor-probe')).toBeUndefined();
});

describe('from outside', () => {
  it.each<[string, () => void, RegExp]>([
    [
      'a front that leads elsewhere',
      () => {
        answers['/.well-known'] = [200, { hello: 'nginx' }];
      },
      /^api: .* not as a Sealwire server → let the proxy pass/,
    ],
    [
      'another domain',
      () => {
        answers['/.well-known'] = [200, { ...KNOWN, domain: 'example.net' }];
      },
      /^api: .* of the domain example\.net → DOMAIN is example\.org here/,
    ],
    [
      'a directory that is not passed on to',
      () => {
        answers['/directory'] = [502, {}];
      },
      /^directory: .*: 502 → let the proxy pass \/directory/,
    ],
    [
      'a clock that is off',
      () => {
        date = NOW - 3_600_000;
      },
      /^clock: this clock is 3600 s ahead of that of the public origin → run NTP/,
    ],
    [
      'a proxy that passes no upgrade',
      () => {
        onUpgrade = (socket) => void socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n');
      },
      /^relay: .* answers 400 to an upgrade → let the proxy pass upgrades/,
    ],
    [
      'a proxy that takes the subprotocol away',
      () => {
        onUpgrade = (socket) => void socket.write(handshake('other'));
      },
      /^relay: .* without the subprotocol/,
    ],
    [
      'a proxy that holds frames back',
      () => {
        onUpgrade = (socket) => void socket.write(handshake('sealwire.v1'));
      },
      /^relay: .* a ping is not answered →/,
    ],
    [
      'a relay that hangs up',
      () => {
        onUpgrade = (socket) => {
          socket.write(handshake('sealwire.v1'));
          socket.on('data', () => socket.destroy());
        };
      },
      /^relay: .* (closed after the handshake|ECONNRESET)/,
    ],
  ])('T210: %s', async (_, provoke, line) => {
    provoke();
    expect(await faults()).toEqual([expect.stringMatching(line)]);
  });

  it('T210: a name that nobody knows, and a server that does not answer', async () => {
    const unknown = patientOf(
      patient.settings.PUBLIC_ORIGIN!,
      {},
      {
        lookup: () =>
          Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND chat.example.org'), { code: 'ENOTFOUND' })),
      },
    );
    expect(await faults(unknown)).toEqual([
      expect.stringMatching(/^dns: localhost is not known \(.*ENOTFOUND.*\) → add it/),
    ]);
    const nobody = patientOf('http://localhost:1');
    expect(await faults(nobody)).toEqual([
      expect.stringMatching(/^api: .* is not reached .* → see that the proxy runs/),
    ]);
    const unset = patientOf(patient.settings.PUBLIC_ORIGIN!, { PUBLIC_ORIGIN: '' });
    expect(await faults(unset)).toEqual(['origin: nothing is looked at from outside → set PUBLIC_ORIGIN']);
  });

  it('T210: a certificate that clients refuse, that ends soon, and none where TLS should be', async () => {
    const pair = selfSigned('doctor');
    const url = await listening(createSecureServer({ cert: pair.certificate, key: pair.key }, front), 'https');
    const trusted = {
      authorities: [pair.certificate],
      fetch: (() => Promise.reject(new Error('unasked'))) as typeof fetch,
    };
    expect(await faults(patientOf(url, {}, { ...trusted, authorities: [] }))).toContainEqual(
      expect.stringMatching(/^tls: localhost: ends in \d+ days .*; DEPTH_ZERO_SELF_SIGNED_CERT → clients refuse it/),
    );
    expect(await findings(patientOf(url, {}, trusted))).toContainEqual(
      expect.stringMatching(/^tls: localhost: ends in \d{5} days \(Dec 31 23:59:59 2099 GMT\)$/),
    );
    const late = Date.parse('2099-12-25T00:00:00Z');
    expect(await faults(patientOf(url, {}, { ...trusted, now: () => late }))).toContainEqual(
      expect.stringMatching(/^tls: localhost: ends in 6 days .* → renew it now/),
    );
    const plain = patient.settings.PUBLIC_ORIGIN!.replace('http:', 'https:');
    expect(await faults(patientOf(plain))).toContainEqual(expect.stringMatching(/^tls: localhost speaks no TLS/));
  });
});

describe('store, bus and files', () => {
  it('T210: a store that another process has is asked after at the server that runs', async () => {
    const store = await openStore(patient.settings.STORE_URL);
    expect(await findings()).toContain('store: the server that runs here writes and reads it');
    answers['/readyz'] = [503, { text: 'not ready: no space left on the disk of the store' }];
    expect(await faults()).toEqual([
      'store: the server that runs here says: not ready: no space left on the disk of the store → see its log',
    ]);
    expect(await faults(patientOf(patient.settings.PUBLIC_ORIGIN!, { LISTEN: '127.0.0.1:1' }))).toEqual([
      expect.stringMatching(/^store: .*in use by process \d+.*, which does not answer at LISTEN → see its log/),
    ]);
    await store.close();
  });

  it('T210: a database that is away, behind, short of space, or whose clock is off', async () => {
    const of = (parts: Partial<Patient['parts']>) => {
      const made = patientOf(patient.settings.PUBLIC_ORIGIN!, { STORE_URL: 'mongodb://u:hidden-word@h/d' });
      return { ...made, parts: { ...made.parts, openStore: () => openStore('memory:'), ...parts } };
    };
    const away = () => Promise.reject(new StoreError('unavailable', 'no database answers at h:27017'));
    expect(await faults(of({ lookAtDatabase: away }))).toEqual([
      'store: no database answers at h:27017 → see STORE_URL, and docs/operations/faults.md',
    ]);
    const facts = { clock: NOW + 120_000, freeBytes: GIB, totalBytes: 100 * GIB, toDo: ['to do: the index mails.at'] };
    expect(await faults(of({ lookAtDatabase: async () => facts }))).toEqual([
      'schema: to do: the index mails.at → run sealwire-server migrate up',
      'clock: this clock is 120 s behind that of the database → run NTP on both machines',
      expect.stringMatching(/^disk: the database: 1\.0 of 100\.0 GiB free → make room/),
    ]);
    expect(await faults(patientOf(patient.settings.PUBLIC_ORIGIN!, { STORE_URL: 'memory:' }))).toEqual([
      'store: keeps nothing → set STORE_URL: memory: is for trials',
    ]);
    const empty = patientOf(patient.settings.PUBLIC_ORIGIN!, { STORE_URL: `lmdb:${join(folder, 'none')}` });
    expect(await findings(empty)).toContain(
      `store: there is none in ${join(folder, 'none')} yet: the first start makes it`,
    );
  });

  it('T210: a bus that is away, and one on which nothing is heard', async () => {
    const of = (openBus: Patient['parts']['openBus']) => ({ ...patient, parts: { ...patient.parts, openBus } });
    expect(await faults(of(() => Promise.reject(new BusError('nobody answers'))))).toEqual([
      expect.stringMatching(/^bus: nobody answers → see BUS_URL/),
    ]);
    const deaf = async () => ({
      ...openMemoryBus(),
      publish: async () => {},
      subscribe: async () => ({ unsubscribe: async () => {} }),
      close: async () => {},
    });
    expect(await faults(of(deaf as never))).toEqual([expect.stringMatching(/^bus: what is published is not heard → /)]);
  });

  it('T210: a region that is away, beside one that is there; and one that is named wrongly', async () => {
    const BUS_PEERS = 'west=redis://10.2.0.5 north=redis://10.3.0.5';
    const several = patientOf(patient.settings.PUBLIC_ORIGIN!, { BUS_PEERS });
    const openBus = async (url: string) => {
      if (url.includes('10.3')) throw new BusError('nobody answers');
      return openMemoryBus();
    };
    const all = await findings({ ...several, parts: { ...several.parts, openBus } });
    expect(all).toContain('bus west: what is published is heard');
    expect(all).toContain('bus north: nobody answers → see BUS_PEERS, and docs/operations/regions.md');
    const twice = patientOf(patient.settings.PUBLIC_ORIGIN!, { BUS_PEERS: 'west=redis://127.0.0.1:1' });
    expect(await faults(twice)).toEqual([expect.stringMatching(/^bus: west is the Redis of BUS_URL, too/)]);
  });

  it('T210: a place of files that cannot be opened, takes none, or gives other bytes back', async () => {
    const of = (openBlobs: Patient['parts']['openBlobs']) => ({ ...patient, parts: { ...patient.parts, openBlobs } });
    expect(await faults(of(() => openBlobs('s3+http://127.0.0.1:1/bucket')))).toEqual([
      expect.stringMatching(/^files: their place cannot be opened \(an S3 server wants a key/),
    ]);
    const blobs = await openBlobs(`file:${join(folder, 'files')}`);
    const full = async () => ({
      ...blobs,
      begin: () => Promise.reject(Object.assign(new Error('no space left for files'), { kind: 'full' })),
    });
    expect(await faults(of(full))).toEqual([
      expect.stringMatching(/^files: their place takes no file \(no space left for files\)/),
    ]);
    const lying = async () => ({ ...blobs, way: { ...blobs.way, read: async () => [Buffer.alloc(1_024)] } });
    expect(await faults(of(lying as never))).toEqual([
      expect.stringMatching(/^files: their place does not give a file back \(other bytes come back\)/),
    ]);
    expect(await blobs.size('doctor-probe')).toBeUndefined();
  });
});

describe('this machine', () => {
  it('T210: a disk that is nearly full, and too few open files', async () => {
    free = 50 * GIB;
    const few = { openFiles: () => ({ most: 1_024, open: 40 }) };
    expect(await faults(patientOf(patient.settings.PUBLIC_ORIGIN!, {}, few))).toEqual([
      expect.stringMatching(/^disk: store \(.*\): 50\.0 of 1000\.0 GiB free → make room/),
      expect.stringMatching(/^disk: files /),
      expect.stringMatching(/^disk: backups /),
      expect.stringMatching(/^files open: .* has 40, and may have 1024 → LimitNOFILE=65536/),
    ]);
    const used = { openFiles: () => ({ most: 10_000, open: 9_000 }) };
    free = 500 * GIB;
    expect(await faults(patientOf(patient.settings.PUBLIC_ORIGIN!, {}, used))).toEqual([
      expect.stringMatching(/^files open: /),
    ]);
  });

  it('T210: no backup, an old one, one that was cut off, and nobody who says where they are', async () => {
    const of = (env: Record<string, string>) => faults(patientOf(patient.settings.PUBLIC_ORIGIN!, env));
    rmSync(join(folder, 'backups/new'), { recursive: true });
    expect(await of({})).toEqual([expect.stringMatching(/^backup: there is none in .* → see the timer/)]);
    note('old', NOW - 48 * 3_600_000);
    note('older', NOW - 96 * 3_600_000);
    note('cut.partial-1', NOW);
    expect(await of({})).toEqual([expect.stringMatching(/^backup: the newest is 48\.0 hours old, .* → see the timer/)]);
    expect(await of({ BACKUP_HOURS: '50' })).toEqual([]);
    expect(await of({ BACKUPS_DIR: join(folder, 'none') })).toEqual([
      expect.stringMatching(/^backup: .* cannot be read/),
    ]);
    expect(await of({ BACKUPS_DIR: '' })).toEqual([
      expect.stringMatching(/^backup: nobody says where .* → set BACKUPS_DIR/),
    ]);
  });
});

it('T211: nothing that it says holds a secret, whoever says it', () => {
  const conceal = concealing(
    {
      STORE_URL: 'mongodb://sealwire:p%40ssword1@h/d',
      BUS_URL: 'rediss://:hunter2hunter2@h',
      BLOBS_SECRET_KEY: 'a-key-of-the-bucket',
      PUBLIC_ORIGIN: 'https://chat.example.org',
      LOG_LEVEL: 'info',
    },
    ['BLOBS_SECRET_KEY', 'TOKEN_KEY'],
  );
  const text =
    'mongodb://sealwire:p%40ssword1@h/d: auth of p@ssword1 failed; hunter2hunter2, a-key-of-the-bucket at https://chat.example.org info';
  expect(conceal(text)).toBe(
    'mongodb://(secret)@h/d: auth of (secret) failed; (secret), (secret) at https://chat.example.org info',
  );
});
