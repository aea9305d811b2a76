/**
 * What a deployment in containers promises, read from its files: images by digest, nobody with privileges, limits and health for each. And
 * nginx with the configuration that operators get, in front of real servers. Brought up for real: deployment-up.test.ts.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { freePort } from '@sealwire/bus/testing/free-port';
import { selfSigned, writeSelfSigned } from '@sealwire/service/testing/self-signed';
import { serverProcesses } from '@sealwire/service/testing/server-process';
import { parse } from 'yaml';
import { hasNginx, startNginx } from './nginx.ts';

jest.setTimeout(60_000);

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

interface Service {
  readonly [key: string]: unknown;
  readonly image: string;
  readonly build?: unknown;
  readonly networks?: readonly string[];
  readonly volumes?: readonly unknown[];
  readonly environment?: Record<string, string>;
}

const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean }>;
};
const services = Object.entries(compose.services);

describe('docker-compose.yml', () => {
  it('has the services of a deployment', () => {
    const expected = ['api', 'directory', 'first-start', 'mongo', 'nginx', 'relay-1', 'relay-2', 's3', 'valkey'];
    expect(Object.keys(compose.services).sort()).toEqual(expected);
  });

  it.each(services)('%s runs without privileges, within limits', (_name, service) => {
    expect(service).toMatchObject({
      user: '10001:10001',
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      mem_limit: expect.stringMatching(/^\d+m$/),
      pids_limit: expect.any(Number),
    });
    for (const key of ['privileged', 'cap_add', 'pid', 'ipc', 'userns_mode', 'devices'])
      expect(service).not.toHaveProperty(key);
    expect(JSON.stringify(service.volumes ?? [])).not.toMatch(/docker\.sock|"\/(?:etc|var|home|root)?[":]/);
  });

  it.each(services.filter(([name]) => name !== 'first-start'))('%s tells how it is', (_name, service) => {
    expect(service.healthcheck).toMatchObject({ test: expect.arrayContaining(['CMD']), retries: expect.any(Number) });
  });

  it.each(services)('%s is an image by tag and digest, or built here', (_name, { image, build }) => {
    if (build) expect(image).toMatch(/^localhost\/sealwire\/server:\d+\.\d+\.\d+$/);
    else expect(image).toMatch(/^docker\.io\/[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*@sha256:[0-9a-f]{64}$/);
  });

  it('lets nobody in but by nginx, and the engines have no way out', () => {
    expect(services.filter(([, service]) => service.ports).map(([name]) => name)).toEqual(['nginx']);
    expect(compose.networks.back).toEqual({ internal: true });
    expect(compose.networks.files).toEqual({ internal: true });
    for (const name of ['mongo', 'valkey']) expect(compose.services[name]!.networks).toEqual(['back']);
    expect(compose.services.s3!.networks).toEqual(['back', 'files']);
    expect(compose.services.nginx!.networks).toEqual(['front', 'files']);
  });

  it('holds no secret, and gives each only to who needs it', () => {
    expect(read('docker-compose.yml')).not.toMatch(/(?:KEY|PASSWORD|SECRET)\w*: ['"]?[\w-]{16,}/);
    const holders = (secret: string) =>
      services
        .filter(([name, { volumes }]) => name !== 'first-start' && JSON.stringify(volumes ?? []).includes(`${secret}:`))
        .map(([name]) => name);
    expect(holders('token-key')).toEqual(['api']);
    expect(holders('app-passwords-key')).toEqual(['api', 'directory']);
    expect(holders('directory-key')).toEqual(['directory']);
    const signing = '/run/sealwire/directory/directory.key';
    expect(compose.services.directory!.environment).toMatchObject({ DIRECTORY_SIGNING_KEY_FILE: signing });
    expect(holders('s3-credentials')).toEqual(['s3']);
    expect(holders('blobs-key')).toEqual(['api']);
    expect(holders('mongo-keys')).toEqual(['mongo']);
    expect(holders('valkey-users')).toEqual(['valkey']);
    expect(holders('engine-urls')).toEqual(['api', 'directory', 'relay-1', 'relay-2']);
  });

  it('has a database and a Valkey that demand a password, and servers that read it from a file', () => {
    const { mongo, valkey, 'first-start': first, ...others } = compose.services;
    expect(mongo!.command).toEqual(expect.arrayContaining(['--keyFile', '/run/sealwire/mongo/internal.key']));
    expect(valkey!.command).toEqual(expect.arrayContaining(['--aclfile', '/run/sealwire/valkey/users.acl']));
    expect(JSON.stringify([mongo!.command, valkey!.command])).not.toMatch(/noauth|protected-mode|requirepass/);
    for (const name of ['api', 'directory', 'relay-1', 'relay-2'])
      expect(others[name]!.environment).toMatchObject({
        STORE_URL_FILE: '/run/sealwire/engines/store.url',
        BUS_URL_FILE: '/run/sealwire/engines/bus.url',
      });
    // The URLs without passwords stand where the passwords are put in, and nowhere else.
    expect(first!.environment).toMatchObject({ STORE_URL: expect.stringMatching(/^mongodb:\/\/\w+@/) });
    for (const { environment = {} } of Object.values(others))
      expect(Object.keys(environment)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(STORE|BUS)_URL$/)]),
      );
  });

  it('demands no value of who starts it', () => {
    const variables = [...read('docker-compose.yml').matchAll(/\$\{(\w+)(:?[-?])?/g)];
    expect(variables.filter(([, , rule]) => rule !== ':-').map(([, name]) => name)).toEqual([]);
  });

  it('says to nginx every relay that there is', () => {
    const relays = Object.keys(compose.services).filter((name) => name.startsWith('relay-'));
    const { RELAY } = compose.services.nginx!.environment!;
    expect([...RELAY!.matchAll(/server ([\w-]+):8080/g)].map(([, name]) => name)).toEqual(relays);
  });
});

it('nginx counts the sockets of a relay over all its workers, and tries again one that was down', () => {
  const [upstream] = /^upstream sealwire_relay .*$/m.exec(read('infra/nginx/sealwire.conf.template'))!;
  expect(upstream).toMatch(/ zone sealwire_relay \d+k; least_conn; /);
  const { RELAY } = compose.services.nginx!.environment!;
  expect(RELAY!.match(/server /g)).toHaveLength(RELAY!.match(/ max_fails=0;/g)!.length);
});

describe('the image', () => {
  const dockerfile = read('infra/docker/Dockerfile');

  it('begins with a base by tag and digest, and ends without root', () => {
    expect(dockerfile).toMatch(/^ARG NODE_IMAGE=docker\.io\/library\/node:\d+\.\d+\.\d+-[\w-]+@sha256:[0-9a-f]{64}$/m);
    const stages = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(new Set(stages)).toEqual(new Set([`\${NODE_IMAGE}`]));
    const last = dockerfile.slice(dockerfile.lastIndexOf('FROM '));
    expect(last).toMatch(/^USER 10001:10001$/m);
    expect(last).toMatch(/^ENTRYPOINT \["sealwire-server"\]$/m);
  });

  it('is built by the turbo of package.json', () => {
    const { devDependencies } = JSON.parse(read('package.json'));
    expect(dockerfile).toContain(` turbo@${devDependencies.turbo}\n`);
  });

  it('takes in neither builds nor data nor secrets of the machine that builds it', () => {
    const ignored = read('.dockerignore').split('\n');
    for (const name of ['**/node_modules', '**/dist', '.git', '**/.env', 'data']) expect(ignored).toContain(name);
  });
});

const openssl = spawnSync('openssl', ['version']).status === 0;

(openssl ? describe : describe.skip)('first-start.sh (skipped without openssl)', () => {
  const state = mkdtempSync(join(tmpdir(), 'sealwire-first-start-'));
  afterAll(() => rmSync(state, { recursive: true }));
  const secrets = ['token', 'app-passwords', 'directory', 's3', 'blobs', 'mongo', 'valkey', 'engines'].map(
    (name) => `secrets/${name}`,
  );
  for (const folder of [...secrets, 'tls']) mkdirSync(join(state, folder), { recursive: true });
  const engines = {
    STORE_URL: 'mongodb://sealwire@mongo:27017/sealwire?replicaSet=rs0&authSource=admin',
    BUS_URL: 'redis://sealwire@valkey:6379',
  };
  const start = (env: Record<string, string> = {}) =>
    spawnSync('sh', [join(root, 'infra/docker/first-start.sh')], {
      env: {
        ...{ PATH: process.env.PATH ?? '', STATE: state, PUBLIC_ORIGIN: 'https://chat.example.org:8443/x' },
        ...engines,
        ...env,
      },
      encoding: 'utf8',
    });
  const files = () =>
    (readdirSync(state, { recursive: true }) as string[]).filter((name) => statSync(join(state, name)).isFile()).sort();
  const content = (name: string) => readFileSync(join(state, name), 'utf8');
  const contents = () => files().map(content);

  it('makes each secret once, for its user only, and says nothing', () => {
    const { status, stdout, stderr } = start();
    expect([status, stdout, stderr]).toEqual([0, '', '']);
    expect(files()).toEqual([
      'secrets/app-passwords/app-passwords.key',
      'secrets/blobs/secret.key',
      'secrets/directory/directory.key',
      'secrets/engines/bus.url',
      'secrets/engines/store.url',
      'secrets/mongo/admin.password',
      'secrets/mongo/internal.key',
      'secrets/mongo/servers.password',
      'secrets/s3/credentials',
      'secrets/token/token.key',
      'secrets/valkey/servers.password',
      'secrets/valkey/users.acl',
      'tls/cert.pem',
      'tls/key.pem',
    ]);
    for (const name of files()) expect(statSync(join(state, name)).mode & 0o777).toBe(0o600);
    for (const name of ['token/token.key', 'directory/directory.key'])
      expect(Buffer.from(content(`secrets/${name}`).trim(), 'base64url')).toHaveLength(32);
    const before = contents();
    expect(new Set(before).size).toBe(14);
    const s3 = content('secrets/s3/credentials');
    expect(s3).toBe(`ROOT_ACCESS_KEY=sealwire\nROOT_SECRET_KEY=${content('secrets/blobs/secret.key')}`);
    expect(start().status).toBe(0);
    expect(contents()).toEqual(before);
  });

  it('gives servers the URLs with the passwords that database and Valkey know, also when a URL changes', () => {
    const [ofMongo, ofValkey] = ['mongo', 'valkey'].map((name) => content(`secrets/${name}/servers.password`).trim());
    expect(content('secrets/engines/store.url')).toBe(
      `mongodb://sealwire:${ofMongo}@mongo:27017/sealwire?replicaSet=rs0&authSource=admin\n`,
    );
    expect(content('secrets/engines/bus.url')).toBe(`redis://sealwire:${ofValkey}@valkey:6379\n`);
    const users = content('secrets/valkey/users.acl').split('\n');
    expect(users.slice(0, 2)).toEqual(['user default off', 'user health on nopass -@all +ping']);
    expect(users[2]).toMatch(new RegExp(`^user sealwire on >${ofValkey} .* -@admin -@dangerous`));
    // What mongod takes as a key of a replica set: 6 to 1024 characters of base64.
    expect(content('secrets/mongo/internal.key').replaceAll('\n', '')).toMatch(/^[A-Za-z0-9+/=]{6,1024}$/);

    expect(start({ BUS_URL: 'redis://sealwire@elsewhere:6380' }).status).toBe(0);
    expect(content('secrets/engines/bus.url')).toBe(`redis://sealwire:${ofValkey}@elsewhere:6380\n`);
    expect(start().status).toBe(0);
  });

  it('the certificate is for the public host and this machine', () => {
    const args = ['x509', '-in', join(state, 'tls/cert.pem'), '-noout', '-ext', 'subjectAltName'];
    const { stdout } = spawnSync('openssl', args, { encoding: 'utf8' });
    expect(stdout).toContain('DNS:chat.example.org, DNS:localhost, IP Address:127.0.0.1');
  });

  it('makes no certificate for who has one', () => {
    for (const name of ['cert.pem', 'key.pem']) rmSync(join(state, 'tls', name));
    expect(start({ TLS_FOLDER: '/etc/mine' }).status).toBe(0);
    expect(files()).not.toContain('tls/cert.pem');
  });

  it('fails aloud where it cannot write', () => {
    rmSync(join(state, 'secrets/s3'), { recursive: true });
    const { status, stderr } = start();
    expect(status).not.toBe(0);
    expect(stderr).not.toBe('');
  });
});

(hasNginx ? describe : describe.skip)('nginx with the configuration of infra/nginx (skipped without nginx)', () => {
  const server = serverProcesses(String(new URL('../../../apps/server/src/', import.meta.url)));
  const cli = serverProcesses(String(new URL('../../../apps/cli/src/', import.meta.url)));
  const tls = writeSelfSigned(selfSigned('nginx'));
  const stop = new Set<() => Promise<unknown>>();
  afterAll(async () => {
    for (const end of stop) await end();
    rmSync(tls.folder, { recursive: true });
  });

  async function front(port: number, node: string): Promise<void> {
    const { host } = new URL(node);
    const values = { API: `server ${host};`, DIRECTORY: `server ${host};`, RELAY: `server ${host};` };
    const end = await startNginx(tls.folder, {
      ...values,
      LISTEN: `127.0.0.1:${port} ssl`,
      SERVER_NAME: '_',
      TLS: tls.folder,
      HEALTH: `127.0.0.1:${await freePort()}`,
    });
    stop.add(end);
  }

  it('two people talk through it, and what is for the operator stays inside', async () => {
    const port = await freePort();
    const origin = `https://localhost:${port}`;
    const node = server.start(['all'], {
      ...{ LISTEN: '127.0.0.1:0', DOMAIN: 'localhost', PUBLIC_ORIGIN: origin, STORE_URL: 'memory:', GATE: 'open' },
      TOKEN_KEY: Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i)).toString('base64url'),
      TRUSTED_PROXIES: '127.0.0.1',
    });
    await front(port, await node.listening());
    const home = { HOME: cli.folder, NODE_EXTRA_CA_CERTS: tls.certificate };
    const sealwire = async (...args: string[]) => {
      const { code, stdout, stderr } = await cli.start(args, home).ended;
      expect([args[0], code, code === 0 ? '' : stderr]).toEqual([args[0], 0, '']);
      return stdout;
    };
    for (const name of ['alice', 'bob']) await sealwire('register', '-u', name, '-s', origin, '--no-passphrase');
    await sealwire('send', '-u', 'alice', '-t', 'bob', '-m', 'hello through nginx');
    expect(await sealwire('listen', '-u', 'bob', '--count', '1')).toContain('hello through nginx');

    const status = async (path: string) => {
      const args = ['--silent', '--cacert', tls.certificate, '--output', '/dev/null', '--write-out', '%{http_code}'];
      return Number(spawnSync('curl', [...args, origin + path], { encoding: 'utf8' }).stdout);
    };
    for (const path of ['/livez', '/.well-known/sealwire', '/openapi.json', '/docs', '/directory/openapi.json'])
      expect([path, await status(path)]).toEqual([path, 200]);
    for (const path of ['/readyz', '/metrics', '/version', '/metrics/', '/%6detrics', '//metrics'])
      expect([path, await status(path)]).toEqual([path, 404]);
  });
});
