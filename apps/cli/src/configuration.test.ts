import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfiguration, writeSetting } from './configuration.ts';
import { foldersOf } from './folders.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sealwire-configuration-'));
});
afterEach(() => rmSync(home, { recursive: true }));

function writeConfig(text: string): string {
  const { configFile } = foldersOf({ env: {}, home });
  mkdirSync(join(home, '.config/sealwire'), { recursive: true });
  writeFileSync(configFile, text);
  return configFile;
}

describe('loadConfiguration', () => {
  it('prefers flag to environment to file to default', () => {
    const server = (env: Record<string, string>, flags: { server?: string }) =>
      loadConfiguration({ env, home }, flags).values.server;
    expect(server({}, {})).toEqual({ value: 'http://localhost:8080', source: 'default' });
    writeConfig('server = "https://file.example.org"');
    expect(server({}, {})).toEqual({ value: 'https://file.example.org', source: 'config file' });
    const env = { SEALWIRE_SERVER: 'https://env.example.org' };
    expect(server(env, {})).toEqual({ value: 'https://env.example.org', source: 'environment' });
    expect(server(env, { server: 'https://flag.example.org' }).source).toBe('flag');
  });

  it.each([
    ['HTTP://LOCALHOST:8080/', 'http://localhost:8080'],
    ['https://Chat.example.org:443', 'https://chat.example.org'],
    ['https://B\u00fccher.example/chat/', 'https://xn--bcher-kva.example/chat'],
  ])('takes %s for %s', (text, server) => {
    expect(loadConfiguration({ env: {}, home }, { server: text }).values.server.value).toBe(server);
  });

  it.each([
    ['server = "https://user@example.org"', 'not a server address'],
    ['server = "https://example.org/a/../b"', 'not a server address'],
    ['server = "ftp://example.org"', 'not a server address like https://chat.example.org'],
    ['server = "https://example.org/path?query"', 'not a server address'],
    ['user = "Alice Liddell"', 'not a user name like alice'],
    ['user = 7', 'is'],
    ['server = ', 'is not TOML'],
  ])('K14: refuses %s, naming the file', (text, problem) => {
    const file = writeConfig(text);
    const load = () => loadConfiguration({ env: {}, home }, {});
    expect(load).toThrow(problem);
    expect(load).toThrow(file);
  });

  it('takes a user name in the form that it has everywhere', () => {
    const load = (user: string) => loadConfiguration({ env: {}, home }, { user });
    expect(load('ＡLICE').values.user.value).toBe('alice');
    for (const user of ['al\u200bice', '\u202ealice']) expect(() => load(user)).toThrow('not a user name like alice');
  });

  it('warns of settings that it does not know', () => {
    writeConfig('servr = "https://chat.example.org"');
    expect(loadConfiguration({ env: {}, home }, {}).warnings).toEqual([
      expect.stringContaining(
        'there is no setting "servr" (there are: server, user, passphrase_file, device_authority)',
      ),
    ]);
  });

  it('wants a file that was named to be there', () => {
    expect(() => loadConfiguration({ env: {}, home }, { config: join(home, 'none.toml') })).toThrow('cannot be read');
  });

  it('follows XDG folders, but not relative ones', () => {
    expect(foldersOf({ env: { XDG_CONFIG_HOME: '/x', XDG_DATA_HOME: 'relative' }, home: '/home/a' })).toEqual({
      configFile: '/x/sealwire/config.toml',
      profiles: '/home/a/.local/share/sealwire',
      nesProfiles: '/home/a/.local/share/sealwire-nes',
    });
  });
});

describe('writeSetting', () => {
  it('keeps the other settings, and the file to its owner', () => {
    const file = writeConfig('user = "alice"');
    writeSetting(file, 'server', 'https://chat.example.org');
    expect(readFileSync(file, 'utf8')).toBe('user = "alice"\nserver = "https://chat.example.org"\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('writes nothing that it would refuse to read', () => {
    const file = writeConfig('user = "alice"');
    expect(() => writeSetting(file, 'server', 'chat.example.org')).toThrow('not a server address');
    expect(readFileSync(file, 'utf8')).toBe('user = "alice"');
  });
});
