/**
 * `sealwire-server all`: API, directory and relay in one process, like solo, but on the store and the bus that `STORE_URL` and `BUS_URL`
 * name: any number of such processes side by side, and beside processes of one server each.
 */
import { adminSocketOf, blobsTerms, blobsWarning } from '@sealwire/api/settings';
import { openBlobs } from '@sealwire/blobs/open';
import { joinRegions, openBus, openCounters } from '@sealwire/bus/open';
import { nodeCrypto } from '@sealwire/crypto/node';
import { requireRandomness, systemRandom } from '@sealwire/crypto/random';
import { boot, openOrExplain } from '@sealwire/service/boot';
import { busNews, regionNews } from '@sealwire/service/bus-reports';
import { tuneCollector } from '@sealwire/service/collector';
import { folderOfUrl } from '@sealwire/service/disk-watch';
import { limiterNews } from '@sealwire/service/limiter-reports';
import { observedBlobs, observedStore } from '@sealwire/service/observed-ports';
import { storeNews } from '@sealwire/service/store-reports';
import { tracedBus } from '@sealwire/service/traced-bus';
import { openStore } from '@sealwire/store/open';
import { allSettings } from './settings.ts';

requireRandomness(systemRandom);
tuneCollector();
await boot({
  name: 'all',
  main: import.meta.url,
  schema: allSettings,
  now: Date.now,
  async run({ settings, version, log, metrics, now, tracing }) {
    const terms = { whenDamaged: settings.WHEN_STORE_DAMAGED, reports: storeNews(log, metrics) };
    const opened = await openOrExplain('STORE_URL', () => openStore(settings.STORE_URL, terms));
    const store = observedStore(opened, metrics, tracing);
    const own = await openOrExplain('BUS_URL', () => openBus(settings.BUS_URL, busNews(log, metrics)));
    const link = await openOrExplain('BUS_PEERS', () =>
      joinRegions(own, settings.BUS_URL, settings.BUS_PEERS, regionNews(log, metrics)),
    );
    const bus = tracedBus(link, tracing);
    const counters = await openOrExplain('BUS_URL', () =>
      openCounters(settings.BUS_URL, { now, onShared: limiterNews(log, metrics) }),
    );
    const place = await openOrExplain('BLOBS_URL', () => openBlobs(settings.BLOBS_URL, blobsTerms(settings)));
    const blobs = observedBlobs(place, metrics, tracing);
    const warning = blobsWarning(settings);
    if (warning) log.warn('blobs-are-in-a-folder', warning);
    if (bus.reach === 'process')
      log.warn('bus-is-in-process', { setting: 'BUS_URL', reason: 'other processes hear nothing of changes' });
    // Loaded once the settings are known to be good: a mistake is told at once.
    const { startSolo } = await import('@sealwire/solo/start');
    const servers = await startSolo({
      name: 'all',
      settings,
      store,
      bus,
      blobs,
      folders: { store: folderOfUrl(settings.STORE_URL), blobs: folderOfUrl(settings.BLOBS_URL) },
      counters,
      crypto: nodeCrypto(),
      random: systemRandom,
      now,
      log,
      metrics,
      tracing,
      tokenKey: settings.TOKEN_KEY,
      appPasswordKey: settings.APP_PASSWORD_KEY,
      signingKey: settings.DIRECTORY_SIGNING_KEY,
      version,
      adminSocket: adminSocketOf(settings),
      adminAddress: settings.ADMIN_LISTEN,
    });
    return {
      url: servers.listening.url,
      reload: servers.listening.reloadCertificate,
      async stop() {
        await servers.stop();
        await counters.close();
        await bus.close();
        await blobs.close();
        await store.close();
      },
    };
  },
});
