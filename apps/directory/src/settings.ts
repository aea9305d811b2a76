/** The settings of the key directory. */
import { APP_PASSWORD_KEY, APP_PASSWORD_SETTINGS } from '@sealwire/access/app-password-settings';
import { setting } from '@sealwire/service/config';
import { listenAddress, ownPath, SERVER_SETTINGS, wholeNumber } from '@sealwire/service/settings';
import { LIMITS } from '@sealwire/wire/limits';
import { z } from 'zod';
import { CERTIFICATE_SETTINGS } from './certificates/certificate-settings.ts';
import { PEER_SETTINGS } from './foreign/peer-settings.ts';
import { NES_SETTINGS } from './nes/nes-settings.ts';
import { SIGNING_SETTINGS } from './signing/signing-settings.ts';

// For the declarations of settings that take these over.
export type { PeerDirectory } from './foreign/peer-settings.ts';

/** First segments of the paths that API, directory, relay and the operator's pages have: all may be behind one origin. */
const TAKEN = ['v1', 'directory', 'relay', 'users', 'livez', 'readyz', 'metrics', 'version'];

/** s, thirty days: who had what is in memory until its period ends. */
const LONGEST_PERIOD = 2_592_000;

/** What the directory itself is told, wherever it runs: alone or in solo. */
export const DIRECTORY_SETTINGS = {
  ...APP_PASSWORD_SETTINGS,
  LIME_PATH: setting(ownPath(TAKEN), {
    about:
      'The path of the LIME key server for clients that expect it elsewhere: `/` for instance, which is then LIME’s for that one path. It answers at `/lime` too, whatever this says.',
    default: '/lime',
  }),
  OPEN_MODE: setting(z.enum(['off', 'on']), {
    about:
      '`on`: no authentication for LIME clients, everybody is the device that they say they are. For tests and closed networks; only on an address of this machine itself.',
    default: 'off',
  }),
  OPEN_MODE_ANYWHERE: setting(z.enum(['off', 'on']), {
    about:
      '`on`: open mode on other addresses too. Whoever reaches this server may then replace the keys of any device.',
    default: 'off',
  }),
  BUNDLES_PER_PAIR: setting(wholeNumber(0), {
    about:
      'Bundles with one-time prekey that one device may have of one device on a suite in BUNDLES_PER_PAIR_SECONDS, and its whole account twice as many in BUNDLES_PER_TARGET_SECONDS; beyond it, see BUNDLE_LIMITS_WITHHOLD; 0: no limit.',
    default: String(LIMITS.bundleFetchesPerPair.value),
  }),
  BUNDLES_PER_PAIR_SECONDS: setting(wholeNumber(1, LONGEST_PERIOD), {
    about: 'The period of BUNDLES_PER_PAIR, which begins with the first bundle.',
    default: '600',
  }),
  BUNDLES_PER_TARGET: setting(wholeNumber(0), {
    about:
      'Bundles with one-time prekey that all together may have of one device on a suite in BUNDLES_PER_TARGET_SECONDS, the directory of another domain half of them; the last half is for accounts that had none of them. Beyond it, see BUNDLE_LIMITS_WITHHOLD; 0: no limit.',
    default: String(LIMITS.bundleFetchesPerTarget.value),
  }),
  BUNDLES_PER_TARGET_SECONDS: setting(wholeNumber(1, LONGEST_PERIOD), {
    about: 'The period of BUNDLES_PER_TARGET, and of what the devices of one account may have together.',
    default: '3600',
  }),
  BUNDLE_LIMITS_WITHHOLD: setting(z.enum(['one-time', 'bundle']), {
    about:
      'What is withheld beyond the two limits until their period ends: `one-time` (bundles come without one-time prekey) or `bundle` (none come; a LIME client then cannot begin a session).',
    default: 'one-time',
  }),
  BUNDLES_PER_REQUESTER: setting(wholeNumber(0), {
    about:
      'Bundles that one device may ask for in ten minutes, and its whole account four times as many; beyond it the answer is 429; 0: no limit.',
    default: '3000',
  }),
  KEY_UPLOADS_PER_DEVICE: setting(wholeNumber(0), {
    about: 'Registrations and key uploads of one device in ten minutes; beyond it the answer is 429; 0: no limit.',
    default: '60',
  }),
  PREKEYS_PER_DEVICE: setting(wholeNumber(125, 1_000), {
    about:
      'One-time prekeys that a device may have here on each suite, and bring in one request; beyond it a LIME client is told `resource limit`.',
    default: String(LIMITS.prekeysPerDevice.value),
  }),
  DEVICES_PER_ACCOUNT: setting(wholeNumber(1, 100), {
    about:
      'Devices of an account, listed and waiting ones together; beyond it a new one is refused. A manifest lists ten at most.',
    default: String(LIMITS.devicesPerAccount.value),
  }),
  ...PEER_SETTINGS,
  MANIFEST_READS_PER_ADDRESS: setting(wholeNumber(0), {
    about: 'Manifest reads a minute from one client address; 0: no limit.',
    default: '1200',
  }),
  MANIFEST_WRITES_PER_ADDRESS: setting(wholeNumber(0), {
    about: 'Manifest publications a minute from one client address; 0: no limit.',
    default: '60',
  }),
  ...SIGNING_SETTINGS,
  ...CERTIFICATE_SETTINGS,
  ...NES_SETTINGS,
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
  'LISTEN' | 'DOMAIN' | 'PUBLIC_ORIGIN' | 'TRUSTED_PROXIES' | keyof typeof DIRECTORY_SETTINGS
>;
