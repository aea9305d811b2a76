/** The commands of docs/operations/administration.md, as they stand there: each on a store of its own, with an account and an invitation. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { offlineAdminCommands } from '@sealwire/api/admin';
import { openStore } from '@sealwire/store/open';
import { parseAccountAddress } from '@sealwire/wire/ids';
import { COMMANDS } from './commands.ts';
import { administer } from './run.ts';

const NOW = Date.UTC(2026, 10, 29);
const KEY = new Uint8Array(32).fill(1);
const PROGRAM = 'sealwire-admin ';
/** What the page has for a number of an invitation, and for the address of a server. */
const NUMBER = '67c55c79f122377f';
const ADDRESS = 'https://chat.example.org:8090';

const page = readFileSync(new URL('../../../../docs/operations/administration.md', import.meta.url), 'utf8');
const lines = [...page.matchAll(/^```sh\n(.*?)^```$/gms)]
  .flatMap(([, block]) => block!.split('\n'))
  .map((line) => line.replace(/\s+#\s.*$/, ''))
  .filter((line) => line.includes(PROGRAM));

let folder: string;
let number: string;
/** So that the trail has its order. */
let ticks = 0;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-administration-'));
  const store = await openStore(`lmdb:${join(folder, 'store')}`);
  const account = { address: parseAccountAddress('sip:alice@example.org'), accountKey: KEY, createdAt: 1 };
  await store.accounts.create(account, { version: 1, bytes: KEY, signature: KEY }, []);
  await store.close();
  number = JSON.parse(await done('invitations make --json')).number;
});
afterEach(() => rmSync(folder, { recursive: true }));

async function run(line: string, env: Readonly<Record<string, string>> = {}) {
  const argv = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
  const said = { out: '', err: '' };
  const readFile = (path: string) => readFileSync(join(folder, path), 'utf8');
  const settings = { DATA_DIR: folder, DOMAIN: 'example.org', ...env };
  const code = await administer({ argv, env: settings, readFile }, () => NOW + ++ticks, {
    out(text) {
      said.out += text;
    },
    err(text) {
      said.err += text;
    },
  });
  return { code, ...said };
}

async function done(line: string, env?: Readonly<Record<string, string>>): Promise<string> {
  const { out, ...rest } = await run(line, env);
  expect({ line, ...rest }).toEqual({ line, code: 0, err: '' });
  return out;
}

describe('the documented command', () => {
  const here = lines.filter((line) => line.startsWith(PROGRAM) && !line.includes(' > '));

  it.each(here)('%s', async (line) => {
    await done(line.slice(PROGRAM.length).replace(NUMBER, number));
    const trail = JSON.parse(await done('audit --json')).entries as { what: string; outcome: string }[];
    const what = Object.keys(COMMANDS).find((name) => line.startsWith(PROGRAM + name))!;
    expect(trail.find((entry) => entry.what === what)?.outcome).toBe('done');
  });

  it('sets of each topic are there', () => expect(here.length).toBeGreaterThan(12));
});

it('from another machine: the token that is made here opens the address there', async () => {
  const [make = '', ask = ''] = lines.filter((line) => !line.startsWith(PROGRAM) || line.includes(' > '));
  const [words = '', file = ''] = make.slice(PROGRAM.length).split(' > ');
  writeFileSync(join(folder, file), await done(words));
  const [settings = '', there = ''] = ask.split(PROGRAM);
  const env = Object.fromEntries(
    settings
      .trim()
      .split(' ')
      .map((pair) => pair.split('=') as [string, string]),
  );
  const store = await openStore(`lmdb:${join(folder, 'store')}`);
  const commands = offlineAdminCommands(store, { now: () => NOW, domain: 'example.org' });
  const server = createServer(async (request, response) => {
    const body = JSON.parse(Buffer.concat(await request.toArray()).toString());
    const { authorization } = request.headers;
    response.end(JSON.stringify(await commands[request.url!]!(body, { via: 'address', authorization })));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    expect(env.ADMIN_URL).toBe(ADDRESS);
    expect(
      await done(there, { ...env, ADMIN_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
    ).toContain('sip:alice@example.org');
  } finally {
    server.close();
    server.closeAllConnections();
    await store.close();
  }
});

it('every order that the page explains is a command', () => {
  const rows = [...page.matchAll(/^\| `([a-z ]+)` \|/gm)].map(([, name]) => name!);
  const roles = ['viewer', 'operator', 'owner'];
  const orders = rows.filter((name) => !roles.includes(name));
  expect(orders.length).toBeGreaterThan(5);
  expect(orders.filter((name) => !Object.hasOwn(COMMANDS, name))).toEqual([]);
});
