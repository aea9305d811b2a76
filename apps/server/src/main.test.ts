/** The entry of a deployment as a process: what it becomes, and what it says to who does not know its commands. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, jest } from '@jest/globals';
import { publishedKeys } from '@sealwire/service/testing/published-keys';
import { serverProcesses } from '@sealwire/service/testing/server-process';
import { COMMANDS } from './commands.ts';

jest.setTimeout(60_000);

const keys = await publishedKeys();
const KEY = Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i)).toString('base64url');
const common = { DOMAIN: 'example.org', PUBLIC_ORIGIN: 'https://chat.example.org', STORE_URL: 'memory:' };
const env = { ...common, TOKEN_KEY: KEY, APP_PASSWORD_KEY: KEY, LISTEN: '127.0.0.1:0' };
const reader = { ...common, LISTEN: '127.0.0.1:0', TOKEN_JWKS_URL: keys.url };
const processes = serverProcesses(import.meta.url);
const root = new URL('../../../', import.meta.url);

describe('sealwire-server', () => {
  it.each([
    ['api', env],
    ['directory', reader],
    ['relay', reader],
    ['all', env],
  ])('%s starts from the environment alone, says what it is, and ends with 0 after SIGTERM', async (name, settings) => {
    const server = processes.start([name], settings);
    const url = await server.listening();
    expect(await (await fetch(`${url}/version`)).json()).toMatchObject({ server: name });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    server.child.kill('SIGTERM');
    const { code, signal, stdout, stderr } = await server.ended;
    expect([code, signal]).toEqual([0, null]);
    expect(stdout + stderr).not.toContain(KEY);
  });

  it('all publishes the key that its own directory and relay check tokens by', async () => {
    const url = await processes.start(['all'], env).listening();
    const { keys } = (await (await fetch(`${url}/v1/.well-known/jwks.json`)).json()) as { keys: object[] };
    expect(keys).toEqual([expect.objectContaining({ kty: 'OKP', crv: 'Ed25519' })]);
    expect((await fetch(`${url}/relay`)).status).toBe(426);
    expect((await fetch(`${url}/lime`, { method: 'POST' })).status).toBe(401);
  });

  it('passes arguments on to what it becomes, and a mistake is its one line and exit code 2', async () => {
    const [config, mistake, code, drill, unknown, none] = await Promise.all([
      processes.start(['relay', '--print-config'], reader).ended,
      processes.start(['directory', '--lisen', 'x'], reader).ended,
      processes.start(['invite', '--invite-uses', '3'], env).ended,
      processes.start(['drill', '--minutes=1'], {}).ended,
      processes.start(['relais'], env).ended,
      processes.start([], env).ended,
    ]);
    expect(config.stdout).toContain('MESSAGE_LIFE_DAYS=45  # default');
    expect([mistake.code, mistake.stderr]).toEqual([2, expect.stringMatching(/^directory: --lisen: .*\n$/)]);
    expect([code.code, code.stdout]).toEqual([0, expect.stringMatching(/^[\w-]{27}\n$/)]);
    expect([drill.code, drill.stderr]).toEqual([2, expect.stringMatching(/^drill: --against: name your .*\n$/)]);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringMatching(/^sealwire-server: there is no .*\n$/)]);
    expect(none.code).toBe(0);
    for (const name of Object.keys(COMMANDS)) expect(none.stdout).toContain(`\n  ${name} `);
  });

  it('loads nothing before it is asked for', () => {
    const text = readFileSync(new URL('commands.ts', import.meta.url), 'utf8');
    expect(text).not.toMatch(/^import /m);
    const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
    expect(scripts.server).toBe('node infra/scripts/server.mjs');
  });
});
