/**
 * `npm start`: the whole server in one process, data in one folder. `npm start -- invite` makes an
 * invitation code, `reset-account NAME` a reset code, `backup` copies the folder, whether the server runs or not; `restore`, `verify` and
 * `repair` look after the folder of a server that is stopped.
 */

import { join, resolve } from 'node:path';
import { blobsTerms } from '@sealwire/api/settings';
import { openBlobs } from '@sealwire/blobs/open';
import { openBus } from '@sealwire/bus/open';
import { nodeCrypto } from '@sealwire/crypto/node';
import { requireRandomness, systemRandom } from '@sealwire/crypto/random';
import { adminSocketIn } from '@sealwire/service/admin-socket';
import { boot, openOrExplain } from '@sealwire/service/boot';
import { tuneCollector } from '@sealwire/service/collector';
import { aboutOf } from '@sealwire/service/config';
import { folderOfUrl } from '@sealwire/service/disk-watch';
import { observedBlobs, observedStore } from '@sealwire/service/observed-ports';
import { storeNews } from '@sealwire/service/store-reports';
import { tracedBus } from '@sealwire/service/traced-bus';
import { blobsIn, nesKeyIn, openDataFolder, storeIn } from './data-folder.ts';
import { exposureWarnings } from './exposure.ts';
import { soloSettings } from './settings.ts';
import { welcome } from './welcome.ts';

// Whatever this server makes is for its user only.
process.umask(0o077);
requireRandomness(systemRandom);

const COMMANDS: Readonly<Record<string, (argv: readonly string[]) => Promise<number>>> = {
  invite: async (argv) => (await import('./invite.ts')).invite(argv, Date.now),
  'reset-account': async (argv) => (await import('./reset-account.ts')).resetAccount(argv, Date.now),
  backup: async (argv) => (await import('./backup.ts')).backup(argv, systemRandom, Date.now),
  restore: async (argv) => (await import('./backup.ts')).restore(argv, systemRandom, Date.now),
  verify: async (argv) => (await import('./look-after.ts')).lookAfter('verify', argv),
  repair: async (argv) => (await import('./look-after.ts')).lookAfter('repair', argv),
};

const [word = '', ...rest] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
if (command) {
  process.exitCode = await command(rest);
} else {
  tuneCollector();
  await boot({
    name: 'solo',
    main: import.meta.url,
    schema: soloSettings,
    commands: Object.keys(COMMANDS),
    now: Date.now,
    async run({ settings, version, log, metrics, now, tracing }) {
      let isNew = false;
      const news = storeNews(log, metrics);
      const reports = {
        ...news,
        isNew() {
          isNew = true;
          news.isNew();
        },
      };
      const terms = { whenDamaged: settings.WHEN_STORE_DAMAGED, reports };
      const folder = await openDataFolder(settings.DATA_DIR, systemRandom, terms);
      const store = observedStore(folder.store, metrics, tracing);
      const blobsUrl = settings.BLOBS_URL ?? `file:${blobsIn(folder.path)}`;
      const place = await openOrExplain('BLOBS_URL', () => openBlobs(blobsUrl, blobsTerms(settings)));
      const blobs = observedBlobs(place, metrics, tracing);
      const bus = tracedBus(await openBus('memory:'), tracing);
      // The servers are loaded once settings and folder are known to be good: a mistake is told at once.
      const { startSolo } = await import('./start.ts');
      const solo = await startSolo({
        settings,
        store,
        bus,
        blobs,
        folders: { store: storeIn(folder.path), blobs: folderOfUrl(blobsUrl) },
        crypto: nodeCrypto(),
        random: systemRandom,
        now,
        log,
        metrics,
        tracing,
        tokenKey: folder.tokenKey,
        appPasswordKey: folder.appPasswordKey,
        signingKey: settings.DIRECTORY_SIGNING_KEY ?? folder.signingKey,
        version,
        mailFolder: join(folder.path, 'mail'),
        nesKeyFile: nesKeyIn(folder.path),
        adminSocket: adminSocketIn(folder.path),
        adminAddress: settings.ADMIN_LISTEN,
      });
      for (const warning of exposureWarnings(settings)) process.stderr.write(`solo: warning: ${warning}\n`);
      const greeting = welcome({
        origin: solo.origin,
        dataFolder: folder.path,
        isDefaultFolder: folder.path === resolve(aboutOf(soloSettings.shape.DATA_DIR).default ?? ''),
        isNew,
        invitation: settings.GATE !== 'open',
        hasAccounts: await store.accounts.areAny(),
      });
      return {
        url: solo.listening.url,
        greeting: `${greeting}\n`,
        reload: solo.listening.reloadCertificate,
        async stop() {
          await solo.stop();
          await bus.close();
          await blobs.close();
          await store.close();
        },
      };
    },
  });
}
