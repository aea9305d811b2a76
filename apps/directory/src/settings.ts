/** The settings of the key directory. */
import { APP_PASSWORD_KEY, APP_PASSWORD_SETTINGS } from '@sealwire/service/app-password-settings';
import { setting } from '@sealwire/service/config';
import { listenAddress, SERVER_SETTINGS, wholeNumber } from '@sealwire/service/settings';
import { LIMITS } from '@sealwire/wire/limits';
import { z } from 'zod';

/** What the directory itself is told, wherever it runs: alone or in solo. */
export const DIRECTORY_SETTINGS = {
  ...APP_PASSWORD_SETTINGS,
  BUNDLES_PER_PAIR: setting(wholeNumber(0), {
    about:
      'One-time prekeys that one device may take from one other device in ten minutes; beyond it bundles come without; 0: no limit.',
    default: String(LIMITS.bundleFetchesPerPair.value),
  }),
  BUNDLES_PER_TARGET: setting(wholeNumber(0), {
    about:
      'One-time prekeys that all together may take from one device in an hour; beyond it bundles come without; 0: no limit.',
    default: String(LIMITS.bundleFetchesPerTarget.value),
  }),
  BUNDLES_PER_REQUESTER: setting(wholeNumber(0), {
    about: 'Bundles that one device may ask for in ten minutes; beyond it the answer is 429; 0: no limit.',
    default: '3000',
  }),
  KEY_UPLOADS_PER_DEVICE: setting(wholeNumber(0), {
    about: 'Registrations and key uploads of one device in ten minutes; beyond it the answer is 429; 0: no limit.',
    default: '60',
  }),
  MANIFEST_READS_PER_ADDRESS: setting(wholeNumber(0), {
    about: 'Manifest reads a minute from one client address; 0: no limit.',
    default: '1200',
  }),
  MANIFEST_WRITES_PER_ADDRESS: setting(wholeNumber(0), {
    about: 'Manifest publications a minute from one client address; 0: no limit.',
    default: '60',
  }),
} as const;

export const directorySettings = z.object({
  LISTEN: setting(listenAddress(), { about: 'Where this server listens, `HOST:PORT`.', default: '127.0.0.1:8082' }),
  ...SERVER_SETTINGS,
  TOKEN_JWKS_URL: setting(z.url({ protocol: /^https?$/, error: 'not an http(s) URL' }), {
    about: 'Where the API publishes the keys that verify access tokens.',
    example: 'http://127.0.0.1:8081/v1/.well-known/jwks.json',
  }),
  APP_PASSWORD_KEY,
  ...DIRECTORY_SETTINGS,
});

export type DirectorySettings = Pick<
  z.output<typeof directorySettings>,
  'DOMAIN' | 'PUBLIC_ORIGIN' | 'TRUSTED_PROXIES' | keyof typeof DIRECTORY_SETTINGS
>;
