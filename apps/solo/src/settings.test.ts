import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@sealwire/service/config';
import { describeSettingsDocuments } from '@sealwire/service/testing/settings-documents';
import { type SoloSettings, soloSettings } from './settings.ts';

const load = (argv: string[], env: Record<string, string> = {}) =>
  loadConfig(soloSettings, {
    argv,
    env,
    readFile: (path) => {
      throw new Error(`no ${path} here`);
    },
  });

describe('the settings of solo', () => {
  it('need nothing to be said', () => {
    const loaded = load([]);
    const { LISTEN, DATA_DIR, DOMAIN, PUBLIC_ORIGIN, GATE } = (loaded as { settings: SoloSettings }).settings;
    expect({ LISTEN, DATA_DIR, DOMAIN, PUBLIC_ORIGIN, GATE }).toEqual({
      LISTEN: { host: '127.0.0.1', port: 8080 },
      DATA_DIR: './data',
      DOMAIN: 'localhost',
      PUBLIC_ORIGIN: undefined,
      GATE: 'open',
    });
  });

  it('allow, with the gate open, no more accounts from one address than it takes to try it with friends', () => {
    expect((load([]) as { settings: SoloSettings }).settings).toMatchObject({ GATE: 'open', ACCOUNTS_PER_ADDRESS: 20 });
  });

  it.each([
    ['a bad address', ['--listen', 'localhost'], {}, 'LISTEN: "localhost": not HOST:PORT'],
    ['a port out of range', [], { LISTEN: '127.0.0.1:99999' }, 'LISTEN'],
    ['a bad domain', ['--domain', 'Example Org'], {}, 'DOMAIN'],
    ['a public origin without TLS', ['--public-origin', 'http://chat.example.org'], {}, 'https is needed'],
    ['a gate that there is not', [], { GATE: 'closed' }, 'GATE'],
    ['a negative limit', [], { ACCOUNTS_PER_ADDRESS: '-1' }, 'a whole number from 0'],
    ['a page of nowhere', [], { ALLOWED_ORIGINS: 'https://a.example, b.example' }, 'ALLOWED_ORIGINS'],
    ['pages of everywhere', [], { ALLOWED_ORIGINS: '*' }, 'ALLOWED_ORIGINS: "*": not an origin like'],
    ['a config file that is not there', ['--config', 'none.toml'], {}, 'none.toml cannot be read'],
  ])('K14: refuse %s in one line', (_what, argv, env, problem) => {
    expect(() => load(argv, env)).toThrow(problem);
  });
});

describeSettingsDocuments('solo', soloSettings, import.meta.url);
