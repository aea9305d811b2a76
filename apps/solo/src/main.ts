/** `npm start`: the whole server in one process, data in one folder. `npm start -- invite` makes an invitation code. */
import { openBus } from '@sealwire/bus/open';
import { nodeCrypto } from '@sealwire/crypto/node';
import { requireRandomness, systemRandom } from '@sealwire/crypto/random';
import { adminSocketIn } from '@sealwire/service/admin-socket';
import { boot } from '@sealwire/service/boot';
import { tuneCollector } from '@sealwire/service/collector';
import { openDataFolder, openEmbeddedStore } from './data-folder.ts';
import { soloSettings } from './settings.ts';
import { welcome } from './welcome.ts';

// Whatever this server makes is for its user only.
process.umask(0o077);
requireRandomness(systemRandom);

if (process.argv[2] === 'invite') {
  const { invite } = await import('./invite.ts');
  process.exitCode = await invite(process.argv.slice(3), Date.now);
} else {
  tuneCollector();
  await boot({
    name: 'solo',
    main: import.meta.url,
    schema: soloSettings,
    now: Date.now,
    async run({ settings, version, log, metrics, now }) {
      const folder = openDataFolder(settings.DATA_DIR, systemRandom);
      const store = await openEmbeddedStore(folder);
      const bus = await openBus('memory:');
      // The servers are loaded once settings and folder are known to be good: a mistake is told at once.
      const { startSolo } = await import('./start.ts');
      const solo = await startSolo({
        settings,
        store,
        bus,
        crypto: nodeCrypto(),
        random: systemRandom,
        now,
        log,
        metrics,
        tokenKey: folder.tokenKey,
        appPasswordKey: folder.appPasswordKey,
        version,
        adminSocket: adminSocketIn(folder.path),
      });
      const invitation = settings.GATE === 'invitation';
      process.stdout.write(`${welcome({ origin: solo.origin, dataFolder: folder.path, invitation })}\n`);
      return {
        url: solo.listening.url,
        reload: solo.listening.reloadCertificate,
        async stop() {
          await solo.stop();
          await bus.close();
          await store.close();
        },
      };
    },
  });
}
