import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@sealwire/service/config';
import { describeSettingsDocuments } from '@sealwire/service/testing/settings-documents';
import { relayConfig, relaySettings } from './config.ts';

describeSettingsDocuments('relay', relayConfig, import.meta.url);

describe('pages that may open a socket', () => {
  it('are those of the public origin, whose path is not part of it, and of the origins listed', () => {
    const env = {
      DOMAIN: 'example.org',
      PUBLIC_ORIGIN: 'https://example.org/chat',
      TOKEN_JWKS_URL: 'http://127.0.0.1:8081/v1/.well-known/jwks.json',
      ALLOWED_ORIGINS: 'https://app.example.org, http://localhost:5173',
    };
    const loaded = loadConfig(relayConfig, { argv: [], env, readFile: () => '' });
    if (loaded.action !== 'run') throw new Error('settings were asked for');
    expect(relaySettings(loaded.settings).allowedOrigins).toEqual([
      'https://example.org',
      'https://app.example.org',
      'http://localhost:5173',
    ]);
  });
});
