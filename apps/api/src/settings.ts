/** The settings of the API server. */
import { APP_PASSWORD_KEY, APP_PASSWORD_SETTINGS } from '@sealwire/access/app-password-settings';
import { adminSocketIn } from '@sealwire/service/admin-socket';
import { setting } from '@sealwire/service/config';
import { MAIL_SETTINGS } from '@sealwire/service/mail';
import {
  BUS_PEERS,
  DOMAIN_NAME,
  listenAddress,
  origin,
  origins,
  SERVER_SETTINGS,
  secretBytes,
  wholeNumber,
} from '@sealwire/service/settings';
import { LIMITS } from '@sealwire/wire/limits';
import { z } from 'zod';

/** `localhost`, `127.0.0.1` and `::1` beside a public origin that is one of them (login/login-origins.ts). */
const LOCAL_NAMES = 3;
const DAY_MS = 86_400_000;

/** `a.example,b.example` as a list, in small letters. */
function mailDomains() {
  return z
    .string()
    .transform((text) =>
      text
        .toLowerCase()
        .split(',')
        .map((each) => each.trim())
        .filter(Boolean),
    )
    .refine((domains) => domains.every((domain) => DOMAIN_NAME.test(domain)), 'not domains separated by commas');
}

/** What the API itself is told, wherever it runs: alone or in solo. */
export const API_SETTINGS = {
  GATE: setting(z.enum(['open', 'invitation', 'email']), {
    about:
      'Who may make an account: `open` (anybody), `invitation` (who has a code of `invite`), or `email` (who gets a code by mail, or has one of `invite`).',
    default: 'invitation',
  }),
  ...MAIL_SETTINGS,
  MAIL_DOMAINS: setting(mailDomains(), {
    about: 'With `GATE=email`: domains whose addresses may have accounts, separated by commas; empty: all.',
    default: '',
    example: 'example.org,example.com',
  }),
  ACCOUNTS_PER_ADDRESS: setting(wholeNumber(0), {
    about: 'New accounts an hour from one client address (a /64 of IPv6; from a /48 four times as many); 0: no limit.',
    default: '20',
  }),
  OTHER_ORIGINS: setting(origins(LIMITS.loginOrigins.value - LOCAL_NAMES), {
    about:
      'Further origins under which clients log in, separated by commas: a former address after a move, a name inside the house. Those of PUBLIC_ORIGIN stay the ones that tokens name.',
    default: '',
    example: 'https://chat.old.example.org',
  }),
  LOGINS_PER_ADDRESS: setting(wholeNumber(0), {
    about: 'Login requests a minute from one client address (a login takes two); 0: no limit.',
    default: '120',
  }),
  LOGINS_PER_DEVICE: setting(wholeNumber(0), {
    about:
      'Logins a minute of one device; counted when they succeed, so that no stranger can lock a device out; 0: no limit.',
    default: '240',
  }),
  NEW_APP_PASSWORDS_PER_ACCOUNT: setting(wholeNumber(0), {
    about: 'App passwords that one account may make in an hour; 0: no limit.',
    default: '40',
  }),
  LINKS_PER_ADDRESS: setting(wholeNumber(0), {
    about: 'Link codes for new devices that one client address may make in two minutes; 0: no limit.',
    default: '6',
  }),
  LINKS_PER_ACCOUNT: setting(wholeNumber(0), {
    about: 'Link codes that devices of one account may answer in two minutes; 0: no limit.',
    default: '6',
  }),
  UPLOADS_STOP_BELOW_BYTES: setting(wholeNumber(0), {
    about:
      'With less free than this on the disk of an embedded store, or of a folder of files, new files are refused, and with the store’s new accounts too; of a small disk a tenth counts at most. 0: never.',
    default: '1073741824',
  }),
  ATTACHMENT_BYTES: setting(wholeNumber(0), {
    about: 'The largest encrypted file that is taken; 0: none is.',
    default: String(LIMITS.attachmentBytes.value),
  }),
  ATTACHMENT_BYTES_PER_ACCOUNT: setting(wholeNumber(0), {
    about: 'What the uploads of one account that have not been deleted or swept may have together.',
    default: String(LIMITS.attachmentBytesPerAccount.value),
  }),
  ATTACHMENT_LIFE_DAYS: setting(wholeNumber(1, 3_650), {
    about: 'How long an uploaded file is kept.',
    default: String(LIMITS.attachmentLifeMs.value / DAY_MS),
  }),
  NEW_ATTACHMENTS_PER_ACCOUNT: setting(wholeNumber(0), {
    about: 'Uploads that one account may begin in an hour; 0: no limit.',
    default: '600',
  }),
  CONTACT_CHANGES_PER_ACCOUNT: setting(wholeNumber(0), {
    about: 'Changes of contact list, blocks and contact policy that one account may make in an hour; 0: no limit.',
    default: '1200',
  }),
  ...APP_PASSWORD_SETTINGS,
} as const;

/** What solo has another default for. */
export const blobsUrl = () => z.string().regex(/^(file|s3\+https?):/, 'neither file:FOLDER nor s3+https://HOST/BUCKET');

/** Where encrypted files lie. */
export const BLOBS_SETTINGS = {
  BLOBS_URL: setting(blobsUrl(), {
    about:
      'Where encrypted files lie: `file:FOLDER` of this machine, or `s3+https://HOST/BUCKET` (`s3+http` within the house), an S3 server, to which clients then speak themselves.',
    default: 'file:./data/blobs',
    example: 's3+https://s3.example.org/sealwire',
  }),
  BLOBS_PUBLIC_ORIGIN: setting(origin().optional(), {
    about: 'Where clients reach the S3 server. Not set: where this server does.',
    example: 'https://files.example.org',
  }),
  BLOBS_REGION: setting(z.string().min(1), { about: 'The region of the S3 server.', default: 'us-east-1' }),
  BLOBS_ACCESS_KEY: setting(z.string().min(1).optional(), {
    about: 'The access key id of the S3 server.',
    example: 'sealwire',
  }),
  BLOBS_SECRET_KEY: setting(z.string().min(1).optional(), {
    about: 'The secret of that access key.',
    secret: true,
    example: '/run/secrets/blobs-secret-key',
  }),
} as const;

/** What an operator should know: other machines of such a deployment have not these files. */
export function blobsWarning(settings: { readonly STORE_URL: string; readonly BLOBS_URL: string }) {
  if (!settings.STORE_URL.startsWith('mongodb') || !settings.BLOBS_URL.startsWith('file:')) return undefined;
  return { setting: 'BLOBS_URL', reason: 'nodes on other machines do not have the files of this folder' };
}

/** What `openBlobs` is told. */
export function blobsTerms(settings: Omit<z.output<z.ZodObject<typeof BLOBS_SETTINGS>>, 'BLOBS_URL'>) {
  const { BLOBS_ACCESS_KEY: accessKey, BLOBS_SECRET_KEY: secretKey, BLOBS_REGION: region } = settings;
  return { accessKey, secretKey, region, publicOrigin: settings.BLOBS_PUBLIC_ORIGIN };
}

export const ADMIN_SOCKET = setting(z.string().min(1).optional(), {
  about:
    'Where the server listens for its administrator (`sealwire-admin`, `invite`): a Unix domain socket, for its user only. Not set: `admin.sock` in the folder of an embedded store, else none.',
  example: '/run/sealwire/admin.sock',
});

export const ADMIN_LISTEN = setting(listenAddress().optional(), {
  about:
    'Where the server listens for administrators on the network, `HOST:PORT`, by the tokens of `sealwire-admin tokens make`. Beyond this machine only with TLS. Not set: nowhere ([administration](administration.md)).',
  example: '127.0.0.1:8090',
});

export const apiSettings = z.object({
  LISTEN: setting(listenAddress(), { about: 'Where this server listens, `HOST:PORT`.', default: '127.0.0.1:8081' }),
  ...SERVER_SETTINGS,
  BUS_PEERS,
  TOKEN_KEY: setting(secretBytes(32), {
    about:
      'Ed25519 private key that signs the access tokens: 32 random bytes in base64url, as `openssl rand -base64 32 | tr +/ -_ | tr -d =` makes them.',
    secret: true,
    example: '/run/secrets/token-key',
  }),
  APP_PASSWORD_KEY,
  ADMIN_SOCKET,
  ADMIN_LISTEN,
  ...API_SETTINGS,
  ...BLOBS_SETTINGS,
});

/** Of its disks it knows a watch (`ApiDeps.disks`). */
export type ApiSettings = Pick<
  z.output<typeof apiSettings>,
  'DOMAIN' | 'PUBLIC_ORIGIN' | 'TRUSTED_PROXIES' | Exclude<keyof typeof API_SETTINGS, 'UPLOADS_STOP_BELOW_BYTES'>
>;

export function adminSocketOf(
  settings: Pick<z.output<typeof apiSettings>, 'ADMIN_SOCKET' | 'STORE_URL'>,
): string | undefined {
  const [, folder] = /^lmdb:(.+)$/.exec(settings.STORE_URL) ?? [];
  return settings.ADMIN_SOCKET ?? (folder && adminSocketIn(folder));
}
