/**
 * People with the command line on two relay nodes behind nginx: every process a real one, on a MongoDB-protocol server (`MONGODB_URI`) and a
 * Redis of the test's own. Which node somebody is on is what the nodes' metrics say (docs/operations/scaling.md).
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { freePort } from '@sealwire/bus/testing/free-port';
import { hasRedis, type OwnRedis, startRedis } from '@sealwire/bus/testing/own-redis';
import { selfSigned, writeSelfSigned } from '@sealwire/service/testing/self-signed';
import { type ServerProcess, serverProcesses } from '@sealwire/service/testing/server-process';
import { emptyDatabase, testDatabase } from '@sealwire/store/testing/mongo-database';
import { hasNginx, startNginx } from './nginx.ts';

jest.setTimeout(120_000);

const database = testDatabase('two-nodes');
const lacking = [!database && 'MONGODB_URI', !hasRedis && 'redis-server', !hasNginx && 'nginx'].filter(Boolean);
const SECOND_MS = 1_000;
const REMOVED = 4401;

const title = 'the command line on two nodes behind nginx';
(lacking.length > 0 ? describe.skip : describe)(`${title} (skipped without MONGODB_URI, redis-server, nginx)`, () => {
  const server = serverProcesses(String(new URL('../../../apps/server/src/', import.meta.url)));
  const cli = serverProcesses(String(new URL('../../../apps/cli/src/', import.meta.url)));
  const homes = mkdtempSync(join(tmpdir(), 'sealwire-two-nodes-'));
  const tls = writeSelfSigned(selfSigned('two-nodes'));
  const stop: (() => Promise<unknown>)[] = [];
  let redis: OwnRedis;

  beforeAll(async () => {
    await emptyDatabase(database!);
    redis = await startRedis();
  });
  afterAll(async () => {
    for (const end of stop) await end();
    await redis?.stop();
    await emptyDatabase(database!);
    for (const folder of [homes, tls.folder]) rmSync(folder, { recursive: true });
  });

  /** Two relays, an API and a directory behind one origin. A relay comes back on its port. */
  async function deployment() {
    const port = await freePort();
    const origin = `https://localhost:${port}`;
    const shared = {
      ...{ DOMAIN: 'localhost', PUBLIC_ORIGIN: origin, TRUSTED_PROXIES: '127.0.0.1', LISTEN: '127.0.0.1:0' },
      ...{ STORE_URL: database!, BUS_URL: `redis://127.0.0.1:${redis.port}` },
    };
    const api = server.start(['api'], {
      ...shared,
      GATE: 'open',
      TOKEN_KEY: Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i)).toString('base64url'),
    });
    const keys = { ...shared, TOKEN_JWKS_URL: `${await api.listening()}/v1/.well-known/jwks.json` };
    const directory = server.start(['directory'], keys);
    const relay = async (at = 0) => {
      const child = server.start(['relay'], { ...keys, LISTEN: `127.0.0.1:${at}` });
      return { child, url: await child.listening() };
    };
    const relays = await Promise.all([relay(), relay()]);
    const upstream = (...urls: string[]) => urls.map((url) => `server ${new URL(url).host} max_fails=0;`).join(' ');
    stop.push(
      await startNginx(tls.folder, {
        ...{ LISTEN: `127.0.0.1:${port} ssl`, SERVER_NAME: '_', TLS: tls.folder },
        HEALTH: `127.0.0.1:${await freePort()}`,
        API: upstream(await api.listening()),
        DIRECTORY: upstream(await directory.listening()),
        RELAY: upstream(...relays.map(({ url }) => url)),
      }),
    );
    return { origin, relays, restart: (url: string) => relay(Number(new URL(url).port)) };
  }

  function person(home: string) {
    const HOME = join(homes, home);
    mkdirSync(HOME);
    const start = (...args: string[]) => cli.start(args, { HOME, NODE_EXTRA_CA_CERTS: tls.certificate });
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await start(...args).ended;
      expect([args[0], code, code === 0 ? '' : stderr]).toEqual([args[0], 0, '']);
      return stdout;
    };
    return { start, run };
  }

  async function metric(url: string, name: string): Promise<number> {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.slice(name.length + 1) ?? 0,
    );
  }

  const socketsOf = (relays: readonly { readonly url: string }[]) =>
    Promise.all(relays.map(({ url }) => metric(url, 'sealwire_relay_connections')));

  /** Asks now and then, which leaves the processor to the processes that it waits for; the gauge of sockets is set once a second. */
  async function until(what: () => Promise<unknown>, isSo: unknown): Promise<void> {
    while (JSON.stringify(await what()) !== JSON.stringify(isSo)) await pause(50);
  }

  async function says(from: ServerProcess, to: ServerProcess, text: string): Promise<void> {
    from.child.stdin!.write(`${text}\n`);
    await to.says(new RegExp(text));
  }

  it('people talk over two nodes and the loss of one; a removed device is cut off on the other node within a second', async () => {
    const { origin, relays, restart } = await deployment();
    const [laptop, phone, other] = [person('laptop'), person('phone'), person('other')];
    await Promise.all([
      laptop.run('register', '-u', 'alice', '-s', origin, '--no-passphrase'),
      other.run('register', '-u', 'bob', '-s', origin, '--no-passphrase'),
    ]);
    const secretFile = join(homes, 'alice.secret');
    writeFileSync(secretFile, await laptop.run('devices', 'export-secret', '-u', 'alice'), { mode: 0o600 });
    const joining = ['devices', 'join', '-u', 'alice', '-s', origin, '--secret-file', secretFile, '--no-passphrase'];
    await phone.run(...joining);

    // The second socket goes to the relay that has none: each of the two is on a node of its own.
    const alice = laptop.start('chat', '-u', 'alice', '-t', 'bob');
    await until(async () => (await socketsOf(relays)).sort(), [0, 1]);
    const hers = (await socketsOf(relays)).indexOf(1);
    const [near, far] = [relays[hers]!, relays[1 - hers]!];
    const bob = other.start('chat', '-u', 'bob', '-t', 'alice');
    await until(() => socketsOf([near, far]), [1, 1]);
    await says(alice, bob, 'from one node to the other');
    await says(bob, alice, 'and back');

    far.child.child.kill('SIGKILL');
    await far.child.ended;
    await says(alice, bob, 'with one node less');
    await says(bob, alice, 'which nobody noticed');
    await until(() => socketsOf([near]), [2]);

    const back = await restart(far.url);
    const tablet = phone.start('listen', '-u', 'alice');
    await until(() => socketsOf([near, back]), [2, 1]);
    await says(alice, tablet, 'on all devices of hers');
    alice.child.stdin!.end();
    expect(await alice.ended).toMatchObject({ code: 0 });
    await says(bob, tablet, 'one device is enough');

    const [id] = /^(\S+).*$/m.exec((await phoneOf(laptop))!)!.slice(1);
    await laptop.start('devices', 'remove', id!, '-u', 'alice').says(/^removed /m);
    const removedAt = performance.now();
    const closed = `sealwire_relay_connections_closed_total{code="${REMOVED}"}`;
    await until(() => metric(back.url, closed), 1);
    expect(performance.now() - removedAt).toBeLessThan(SECOND_MS);
    expect(await tablet.ended).toMatchObject({ code: 4 });
  });

  /** The line of the device that is not this one. */
  async function phoneOf(laptop: ReturnType<typeof person>): Promise<string | undefined> {
    const lines = (await laptop.run('devices', '-u', 'alice')).trim().split('\n');
    return lines.find((line) => !line.includes('this one'));
  }
});
