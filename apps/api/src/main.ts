/** The API server as a process of its own. `main.ts --help` lists the settings; `main.ts invite` prints an invitation code, `reset-account NAME` a reset code. */
import { openBlobs } from '@sealwire/blobs/open';
import { joinRegions, openBus, openCounters } from '@sealwire/bus/open';
import { nodeCrypto } from '@sealwire/crypto/node';
import { requireRandomness, systemRandom } from '@sealwire/crypto/random';
import { openOrExplain } from '@sealwire/service/boot';
import { bootServer } from '@sealwire/service/boot-server';
import { processSources } from '@sealwire/service/config';
import { DiskWatch, folderOfUrl } from '@sealwire/service/disk-watch';
import { observedBlobs } from '@sealwire/service/observed-ports';
import { SERVER_SETTINGS } from '@sealwire/service/settings';
import { openStore } from '@sealwire/store/open';
import { z } from 'zod';
import { INVITE_SETTINGS, inviteCommand } from './invite.ts';
import { RESET_SETTINGS, resetAccountCommand } from './reset-account.ts';
import { ADMIN_SOCKET, adminSocketOf, apiSettings, blobsTerms, blobsWarning } from './settings.ts';
import { openGateMailer, SLOW_ROUTES, startApi } from './start.ts';

const ADMINISTERED = { STORE_URL: SERVER_SETTINGS.STORE_URL, ADMIN_SOCKET };
const inviteSettings = z.object({ ...ADMINISTERED, ...INVITE_SETTINGS });
const resetSettings = z.object({ ...ADMINISTERED, DOMAIN: apiSettings.shape.DOMAIN, ...RESET_SETTINGS });
const store = {
  adminSocket: adminSocketOf,
  openStore: ({ STORE_URL }: { STORE_URL: string }) => openOrExplain('STORE_URL', () => openStore(STORE_URL)),
};
const output = {
  out: (text: string) => process.stdout.write(text),
  err: (text: string) => process.stderr.write(text),
};
const sources = processSources();
const ordered = { ...sources, argv: sources.argv.slice(1) };

if (process.argv[2] === 'invite')
  process.exitCode = await inviteCommand({ schema: inviteSettings, ...store }, ordered, Date.now, output);
else if (process.argv[2] === 'reset-account')
  process.exitCode = await resetAccountCommand({ schema: resetSettings, ...store }, ordered, Date.now, output);
else {
  await bootServer({
    name: 'api',
    main: import.meta.url,
    schema: apiSettings,
    commands: ['invite', 'reset-account'],
    now: Date.now,
    openStore,
    openBus,
    regions: { peersOf: ({ BUS_PEERS }) => BUS_PEERS, join: joinRegions },
    openCounters,
    adminSocket: adminSocketOf,
    adminAddress: ({ ADMIN_LISTEN }) => ADMIN_LISTEN,
    withoutNews: 'other processes hear nothing of changes',
    slowRoutes: SLOW_ROUTES,
    async start(context) {
      requireRandomness(systemRandom);
      const { settings } = context;
      const { TOKEN_KEY: tokenKey, APP_PASSWORD_KEY: appPasswordKey } = settings;
      const place = await openOrExplain('BLOBS_URL', () => openBlobs(settings.BLOBS_URL, blobsTerms(settings)));
      const blobs = observedBlobs(place, context.metrics, context.tracing);
      const warning = blobsWarning(settings);
      if (warning) context.log.warn('blobs-are-in-a-folder', warning);
      const mailer = await openGateMailer(settings, { ...context, random: systemRandom });
      const disks = new DiskWatch({
        ...context,
        folders: { store: folderOfUrl(settings.STORE_URL), blobs: folderOfUrl(settings.BLOBS_URL) },
        uploadsStopBelow: settings.UPLOADS_STOP_BELOW_BYTES,
        messagesStopBelow: 0,
      });
      const door = await startApi({
        ...context,
        blobs,
        disks,
        crypto: nodeCrypto(),
        random: systemRandom,
        tokenKey,
        appPasswordKey,
        mailer,
      });
      return { ...door, close: () => door.close().finally(() => blobs.close()) };
    },
  });
}
