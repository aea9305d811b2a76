/** What `doctor` itself is told, beside what the servers are. */
import { BLOBS_SETTINGS, blobsUrl } from '@sealwire/api/settings';
import { setting } from '@sealwire/service/config';
import { BUS_PEERS, listenAddress, SERVER_SETTINGS, wholeNumber } from '@sealwire/service/settings';
import { z } from 'zod';

export const SERVER_NAMES = ['all', 'api', 'directory', 'relay', 'solo'] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

const { DOMAIN, PUBLIC_ORIGIN, STORE_URL, BUS_URL, TLS_CERT_FILE } = SERVER_SETTINGS;

export const doctorSettings = z.object({
  LISTEN: setting(listenAddress(), {
    about: 'Where the server listens that runs here.',
    default: '127.0.0.1:8080',
    portFrom: 'PORT',
  }),
  DOMAIN: setting(DOMAIN.optional(), { about: 'The domain that the servers should say.', example: 'example.org' }),
  PUBLIC_ORIGIN: setting(PUBLIC_ORIGIN.optional(), {
    about: 'Where clients reach all servers. Not set: nothing is looked at from outside.',
    example: 'https://chat.example.org',
  }),
  DATA_DIR: setting(z.string().min(1).optional(), {
    about: 'Of `npm start`: store and files lie in it, and STORE_URL and BLOBS_URL are not asked.',
    example: './data',
  }),
  STORE_URL,
  BUS_URL,
  BUS_PEERS,
  TLS_CERT_FILE,
  ...BLOBS_SETTINGS,
  BLOBS_URL: setting(blobsUrl(), { about: 'Where encrypted files lie.', default: 'file:./data/blobs' }),
  UPLOADS_STOP_BELOW_BYTES: setting(wholeNumber(0), {
    about: 'With less free than this new files and accounts are refused.',
    default: '1073741824',
  }),
  BACKUPS_DIR: setting(z.string().min(1).optional(), {
    about: 'The folder in which the backups lie, each in a folder of its own.',
    example: '/srv/backups',
  }),
  NTP: setting(
    z
      .string()
      .regex(/^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?$/i, 'a host, and its port if that is not 123')
      .optional(),
    { about: 'An NTP server to compare this clock with. Not set: none is asked.', example: 'time.example.org' },
  ),
  BACKUP_HOURS: setting(wholeNumber(1), { about: 'How old the newest backup may be.', default: '36' }),
});

export type DoctorSettings = z.output<typeof doctorSettings>;
