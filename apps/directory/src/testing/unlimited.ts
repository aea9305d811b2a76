/** For tests and measurements: a directory of example.org that refuses nobody for asking often. */
import type { DirectorySettings } from '../settings.ts';

export const UNLIMITED: DirectorySettings = {
  LISTEN: { host: '127.0.0.1', port: 0 },
  DOMAIN: 'example.org',
  PUBLIC_ORIGIN: 'https://chat.example.org',
  TRUSTED_PROXIES: [],
  LIME_PATH: '/lime',
  OPEN_MODE: 'off',
  OPEN_MODE_ANYWHERE: 'off',
  DIGEST_REALM: undefined,
  DIGEST_MD5: 'off',
  WRONG_PASSWORDS_PER_ADDRESS: 0,
  WRONG_PASSWORDS_PER_ACCOUNT: 0,
  BUNDLES_PER_PAIR: 0,
  BUNDLES_PER_TARGET: 0,
  BUNDLES_PER_REQUESTER: 0,
  BUNDLE_LIMITS_WITHHOLD: 'one-time',
  KEY_UPLOADS_PER_DEVICE: 0,
  PREKEYS_PER_DEVICE: 200,
  DEVICES_PER_ACCOUNT: 10,
  PEER_DIRECTORIES: [],
  PEER_KEY: undefined,
  BUNDLES_PER_PEER: 0,
  MANIFEST_READS_PER_ADDRESS: 0,
  MANIFEST_WRITES_PER_ADDRESS: 0,
};
