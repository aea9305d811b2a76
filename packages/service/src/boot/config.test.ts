import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { configTable, envExample } from '../testing/settings-text.ts';
import { ConfigError, type ConfigSources, loadConfig, setting } from './config.ts';
import { addressRanges, listenAddress, origin, secretBytes, wholeNumber } from './settings.ts';

const SECRET = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';

const schema = z.object({
  LISTEN: setting(listenAddress(), { about: 'Where to listen.', default: '127.0.0.1:8080' }),
  PUBLIC_ORIGIN: setting(origin(), { about: 'The origin.', example: 'https://chat.example.org' }),
  STORE_URL: setting(z.string(), { about: 'The store.', default: 'lmdb:./data', alsoFile: true }),
  TOKEN_KEY: setting(secretBytes(32).optional(), { about: 'Signs tokens.', secret: true }),
  WORKERS: setting(wholeNumber(1, 8), { about: 'How many.', default: '1' }),
  TRUSTED_PROXIES: setting(addressRanges(), { about: 'Proxies.', default: '' }),
});

function sources(given: Partial<ConfigSources> & { files?: Record<string, string> }): ConfigSources {
  return {
    argv: given.argv ?? [],
    env: { PUBLIC_ORIGIN: 'https://chat.example.org', ...given.env },
    readFile(path) {
      const text = given.files?.[path];
      if (text === undefined) throw new Error('ENOENT');
      return text;
    },
  };
}

function load(given: Parameters<typeof sources>[0]) {
  const loaded = loadConfig(schema, sources(given));
  if (loaded.action !== 'run') throw new Error('expected settings');
  return loaded;
}

function failure(given: Parameters<typeof sources>[0]): ConfigError {
  try {
    loadConfig(schema, sources(given));
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error as ConfigError;
  }
  throw new Error('expected a ConfigError');
}

describe('precedence', () => {
  const files = { 'a.toml': 'store_url = "from-file"\nworkers = 3\ntrusted_proxies = ["10.0.0.0/8"]\n' };

  it('takes flags before the environment before the file before the default', () => {
    const file = { argv: ['--config', 'a.toml'], files };
    expect(load({}).settings.STORE_URL).toBe('lmdb:./data');
    expect(load(file).settings).toMatchObject({ STORE_URL: 'from-file', WORKERS: 3, TRUSTED_PROXIES: ['10.0.0.0/8'] });
    expect(load({ ...file, env: { STORE_URL: 'from-env' } }).settings.STORE_URL).toBe('from-env');
    const argv = [...file.argv, '--store-url=from-flag'];
    expect(load({ files, argv, env: { STORE_URL: 'from-env' } }).settings.STORE_URL).toBe('from-flag');
  });

  it('takes a secret from KEY_FILE, without the line end, and KEY before it', () => {
    const files = { '/run/key': `${SECRET}\n` };
    expect(load({ env: { TOKEN_KEY_FILE: '/run/key' }, files }).settings.TOKEN_KEY).toHaveLength(32);
    const other = SECRET.replace('AAEC', 'BBEC');
    expect(load({ env: { TOKEN_KEY_FILE: '/run/key', TOKEN_KEY: other }, files }).settings.TOKEN_KEY?.[0]).toBe(4);
  });

  it('takes a URL that may hold a password from KEY_FILE, too, and shows none of it', () => {
    const files = { '/run/store.url': 'mongodb://bob:hunter2@db/x\n' };
    const env = { STORE_URL_FILE: '/run/store.url' };
    const { settings, warnings } = load({ env, files });
    expect([settings.STORE_URL, warnings]).toEqual(['mongodb://bob:hunter2@db/x', []]);
    expect(load({ env, files, argv: ['--store-url', 'memory:'] }).settings.STORE_URL).toBe('memory:');
    expect(load({ env: { ...env, STORE_URL: 'memory:' }, files }).settings.STORE_URL).toBe('memory:');
    const loaded = loadConfig(schema, sources({ argv: ['--print-config'], env, files }));
    expect(loaded.action === 'show' && loaded.text).toContain('STORE_URL=mongodb://***@db/x  # secret file');
    expect(failure({ env, files: {} }).message).toMatch(/^STORE_URL_FILE: \/run\/store\.url cannot be read/);
  });

  it('reads an empty environment variable as not set', () => {
    expect(load({ env: { STORE_URL: '' } }).settings.STORE_URL).toBe('lmdb:./data');
  });
});

describe('K14: mistakes are one line that names key, problem and fix', () => {
  const cases: [string, Parameters<typeof sources>[0], RegExp][] = [
    [
      'missing',
      { env: { PUBLIC_ORIGIN: '' } },
      /^PUBLIC_ORIGIN: is not set — for example PUBLIC_ORIGIN=https:\/\/chat/,
    ],
    ['plain http', { env: { PUBLIC_ORIGIN: 'http://chat.example.org' } }, /^PUBLIC_ORIGIN: .*https is needed/],
    ['a path', { env: { PUBLIC_ORIGIN: 'https://chat.example.org/x' } }, /^PUBLIC_ORIGIN: .*not an origin/],
    ['a bad port', { env: { LISTEN: '127.0.0.1:70000' } }, /^LISTEN: "127.0.0.1:70000": not HOST:PORT/],
    ['a number out of range', { argv: ['--workers', '9'] }, /^WORKERS: "9": a whole number from 1 to 8/],
    ['a number that is none', { argv: ['--workers', '1e0'] }, /^WORKERS/],
    ['a bad range', { env: { TRUSTED_PROXIES: '10.0.0.0/99' } }, /^TRUSTED_PROXIES/],
    [
      'an unknown flag',
      { argv: ['--stroe-url', 'x'] },
      /^--stroe-url: there is no such flag — did you mean --store-url\?/,
    ],
    ['a flag without value', { argv: ['--store-url'] }, /^--store-url: has no value/],
    ['a secret as flag', { argv: ['--token-key', SECRET] }, /^--token-key: .*TOKEN_KEY_FILE/],
    ['an unreadable secret', { env: { TOKEN_KEY_FILE: '/nope' } }, /^TOKEN_KEY_FILE: \/nope cannot be read/],
    ['an unreadable file', { argv: ['--config', 'nope.toml'] }, /^--config: nope.toml cannot be read/],
    [
      'a file that is not TOML',
      { argv: ['--config', 'b.toml'], files: { 'b.toml': '=' } },
      /^--config: b.toml is not TOML/,
    ],
    [
      'a short secret',
      { env: { TOKEN_KEY: 'c2VjcmV0' } },
      /^TOKEN_KEY \(or TOKEN_KEY_FILE\): the value: not 32 random bytes/,
    ],
    ['a constant secret', { env: { TOKEN_KEY: 'A'.repeat(43) } }, /^TOKEN_KEY/],
  ];
  it.each(cases)('%s', (_, given, expected) => {
    const error = failure(given);
    expect(error.message).toMatch(expected);
    expect(error.message).not.toContain('\n');
    expect(error.exitCode).toBe(2);
  });

  it('I13: never quotes a secret or the password of a URL', () => {
    expect(failure({ env: { TOKEN_KEY: 'hunter2-hunter2' } }).message).not.toContain('hunter2');
    const listen = failure({ env: { LISTEN: 'redis://:hunter2@host' } });
    expect(listen.message).not.toContain('hunter2');
  });
});

describe('unknown keys', () => {
  it('warn, with a guess, when they carry our prefix or look like one of ours', () => {
    const { warnings } = load({
      env: { STROE_URL: 'x', SEALWIRE_FOO: 'x', SEALWIRE_USER: 'alice', HOME: '/', PATH: '/', TOKEN_KEY_FIEL: 'x' },
    });
    expect(warnings).toEqual([
      'there is no setting STROE_URL: did you mean STORE_URL?',
      'there is no setting SEALWIRE_FOO',
      'there is no setting TOKEN_KEY_FIEL: did you mean TOKEN_KEY_FILE?',
    ]);
  });

  it('do not warn when others read them', () => {
    const env = { SSL_CERT_FILE: '/etc/ca.pem', SSL_CERT_DIR: '/etc/ca', SEALWIRE_INVITATION: 'x' };
    const loaded = loadConfig(
      schema.extend({ TLS_CERT_FILE: setting(z.string(), { about: 'The certificate.', default: '' }) }),
      sources({ env }),
    );
    expect(loaded).toMatchObject({ action: 'run', warnings: [] });
  });

  it('warn in the file', () => {
    const { warnings } = load({ argv: ['--config', 'a.toml'], files: { 'a.toml': 'store_ulr = "x"' } });
    expect(warnings).toEqual(['a.toml: there is no setting store_ulr: did you mean store_url?']);
  });
});

describe('what is shown', () => {
  it('T217: shows several URLs in one setting without their passwords', () => {
    const env = { STORE_URL: 'west=redis://:pw1@h:1 north=rediss://u:pw2@h,i' };
    const loaded = loadConfig(schema, sources({ argv: ['--print-config'], env }));
    expect(loaded.action === 'show' && loaded.text).toContain('STORE_URL=west=redis://***@h:1 north=rediss://***@h,i');
  });

  it('--print-config shows value and source, secrets and passwords redacted', () => {
    const env = { TOKEN_KEY: SECRET, STORE_URL: 'mongodb://bob:hunter2@db/x' };
    const loaded = loadConfig(schema, sources({ argv: ['--print-config', '--workers', '2'], env }));
    const text = loaded.action === 'show' ? loaded.text : '';
    expect(text).toContain('WORKERS=2  # flag');
    expect(text).toContain('TOKEN_KEY=(secret)  # environment');
    expect(text).toContain('STORE_URL=mongodb://***@db/x  # environment');
    expect(text).toContain('LISTEN=127.0.0.1:8080  # default');
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain(SECRET);
  });

  it('--help, the table and .env.example name every setting', () => {
    const help = loadConfig(schema, sources({ argv: ['--help'] }));
    expect(help.action === 'show' && help.text).toContain('--store-url VALUE');
    expect(configTable(schema)).toContain('| `PUBLIC_ORIGIN` | **required** | The origin. |');
    expect(configTable(schema)).toContain('| `TOKEN_KEY` or `TOKEN_KEY_FILE` |  | Signs tokens. |');
    expect(envExample(schema)).toContain('# The origin.\nPUBLIC_ORIGIN=https://chat.example.org\n');
    expect(envExample(schema)).toContain('#STORE_URL=lmdb:./data\n');
  });
});

describe('PORT', () => {
  const schema = z.object({
    LISTEN: setting(listenAddress(), { about: 'Where.', default: '127.0.0.1:8080', portFrom: 'PORT' }),
  });
  const listen = (given: Parameters<typeof sources>[0]) => {
    const loaded = loadConfig(schema, sources(given));
    return loaded.action === 'run' ? loaded.settings.LISTEN : loaded.text;
  };

  it('gives the default another port; whatever names the whole address wins', () => {
    expect(listen({ env: { PORT: '8081' } })).toEqual({ host: '127.0.0.1', port: 8081 });
    expect(listen({ env: { PORT: '' } })).toEqual({ host: '127.0.0.1', port: 8080 });
    const all = { host: '0.0.0.0', port: 80 };
    expect(listen({ env: { PORT: '8081', LISTEN: '0.0.0.0:80' } })).toEqual(all);
    expect(listen({ env: { PORT: '8081' }, argv: ['--listen', '0.0.0.0:80'] })).toEqual(all);
    const files = { 'a.toml': 'listen = "0.0.0.0:80"\n' };
    expect(listen({ env: { PORT: '8081' }, argv: ['--config', 'a.toml'], files })).toEqual(all);
    expect(listen({ env: { PORT: '8081' }, argv: ['--print-config'] })).toContain(
      'LISTEN=127.0.0.1:8081  # environment',
    );
  });

  it.each(['http', '99999', '-1', '80 80'])('that is none is refused: %s', (PORT) => {
    expect(() => listen({ env: { PORT } })).toThrow(`PORT: "${PORT}": not a port — for example PORT=8081`);
  });
});

describe('words', () => {
  const words = { version: '1.2.3', commands: ['invite', 'verify'] };
  const say = (argv: string[], more: Parameters<typeof loadConfig>[2] = words) =>
    loadConfig(schema, sources({ argv }), more);

  it('--version shows the version, whatever else is missing; --help the commands', () => {
    expect(loadConfig(schema, { ...sources({ argv: ['--version'] }), env: {} }, words)).toEqual({
      action: 'show',
      text: '1.2.3\n',
    });
    expect(say(['--help'])).toMatchObject({
      text: expect.stringMatching(/--version\n.*\n\nCommands, .*: invite, verify\./),
    });
  });

  it('that nobody knows are refused in one line that says what is possible', () => {
    expect(() => say(['nonsense'])).toThrow(
      'nonsense: there is no such command — the commands are invite, verify; see --help',
    );
    expect(() => say(['verfy'])).toThrow('verfy: there is no such command — did you mean verify?');
    expect(() => say(['--workers', '2', 'and'])).toThrow('and: there is no such command');
    expect(() => say(['x'], {})).toThrow('x: there is no such command — see --help');
  });

  it('that are demanded stand among the flags, and are named when they are missing', () => {
    const folder = { demanded: ['FOLDER'] };
    expect(say(['there', '--workers', '2'], folder)).toMatchObject({ words: ['there'], settings: { WORKERS: 2 } });
    expect(say(['--workers', '2', 'there'], folder)).toMatchObject({ words: ['there'] });
    expect(() => say(['--workers', '2'], folder)).toThrow('FOLDER: is missing — write FOLDER');
    expect(() => say(['one', 'two'], folder)).toThrow('two: there is no such command');
    expect(say(['--print-config'], folder)).toMatchObject({ action: 'show' });
  });
});
