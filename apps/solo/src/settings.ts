/** The settings of solo: those of the three servers that make sense on one machine, and where the data lies. */
import { ADMIN_LISTEN, API_SETTINGS, BLOBS_SETTINGS, blobsUrl } from '@sealwire/api/settings';
import { DIRECTORY_SETTINGS } from '@sealwire/directory/settings';
import { RELAY_CONFIG } from '@sealwire/relay/config';
import { setting } from '@sealwire/service/config';
import { listenAddress, publicOrigin, SERVER_SETTINGS, TLS_SETTINGS } from '@sealwire/service/settings';
import { z } from 'zod';

const { ALLOWED_ORIGINS, TRUSTED_PROXIES, METRICS_LISTEN, CONNECTIONS_PER_ADDRESS, WHEN_STORE_DAMAGED } =
  SERVER_SETTINGS;

export const soloSettings = z.object({
  LISTEN: setting(listenAddress(), {
    about:
      'Where the server listens, `HOST:PORT`. Anything but this machine itself wants TLS in front of it. Not set: the environment variable `PORT` gives the default another port.',
    default: '127.0.0.1:8080',
    portFrom: 'PORT',
  }),
  DATA_DIR: setting(z.string().min(1, 'not a folder'), {
    about: 'The folder of the store and the secrets; made at the first start, for this user only.',
    default: './data',
  }),
  WHEN_STORE_DAMAGED,
  DOMAIN: setting(SERVER_SETTINGS.DOMAIN, {
    about: 'The domain of the account addresses: `sip:alice@DOMAIN`. Never change it once there are accounts.',
    default: 'localhost',
  }),
  PUBLIC_ORIGIN: setting(publicOrigin().optional(), {
    about:
      'Where clients reach this server, with a path if it is under one; logins are bound to its origin. Not set: `http://localhost:PORT`.',
    example: 'https://chat.example.org',
  }),
  ...TLS_SETTINGS,
  ...API_SETTINGS,
  GATE: setting(API_SETTINGS.GATE, {
    about:
      'Who may make an account: `open` (anybody), `invitation` (who has a code of `npm start -- invite`), or `email` (who gets a code by mail: into `DATA_DIR/mail` unless `MAIL_URL` is set).',
    default: 'open',
  }),
  ...BLOBS_SETTINGS,
  BLOBS_URL: setting(blobsUrl().optional(), {
    about:
      'Where encrypted files lie: `file:FOLDER` of this machine, or `s3+https://HOST/BUCKET`, an S3 server, to which clients then speak themselves. Not set: `blobs` in DATA_DIR.',
    example: 's3+https://s3.example.org/sealwire',
  }),
  ...DIRECTORY_SETTINGS,
  ...RELAY_CONFIG,
  ALLOWED_ORIGINS,
  TRUSTED_PROXIES,
  METRICS_LISTEN,
  ADMIN_LISTEN,
  CONNECTIONS_PER_ADDRESS,
  LOG_LEVEL: setting(z.enum(['debug', 'info', 'warn', 'error', 'silent']), {
    about: 'The least level that is logged: `debug`, `info`, `warn`, `error`, `silent`.',
    default: 'warn',
  }),
});

export type SoloSettings = z.output<typeof soloSettings>;
