/** The API server as a process of its own. `main.ts --help` lists the settings; `main.ts invite` prints an invitation code. */
import { openBus } from '@sealwire/bus/open';
import { nodeCrypto } from '@sealwire/crypto/node';
import { requireRandomness, systemRandom } from '@sealwire/crypto/random';
import { boot, openOrExplain } from '@sealwire/service/boot';
import { trustedProxies } from '@sealwire/service/client-address';
import { processSources } from '@sealwire/service/config';
import { createHealth } from '@sealwire/service/health';
import { listen } from '@sealwire/service/listen';
import { openStore } from '@sealwire/store/open';
import { inviteCommand } from './invite-command.ts';
import { apiSettings } from './settings.ts';
import { startApi } from './start.ts';

if (process.argv[2] === 'invite') {
  const sources = processSources();
  process.exitCode = await inviteCommand({ ...sources, argv: sources.argv.slice(1) }, Date.now(), {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  });
} else {
  await boot({
    name: 'api',
    main: import.meta.url,
    schema: apiSettings,
    now: Date.now,
    async run({ settings, version, log, metrics, now }) {
      requireRandomness(systemRandom);
      const store = await openOrExplain('STORE_URL', () => openStore(settings.STORE_URL));
      const bus = await openOrExplain('BUS_URL', () => openBus(settings.BUS_URL));
      if (settings.BUS_URL === 'memory:')
        log.warn('bus-is-in-process', { setting: 'BUS_URL', reason: 'other processes hear nothing of changes' });
      const tokenKey = settings.TOKEN_KEY;
      const door = await startApi({
        store,
        bus,
        crypto: nodeCrypto(),
        random: systemRandom,
        now,
        log,
        metrics,
        settings,
        tokenKey,
        version,
      });
      const listening = await listen({
        address: settings.LISTEN,
        routes: [{ prefix: '/', door }],
        health: createHealth({ server: 'api', version, ready: () => door.ready(), metrics, log, now }),
        log,
        metrics,
        connectionsPerAddress: settings.CONNECTIONS_PER_ADDRESS,
        proxies: trustedProxies(settings.TRUSTED_PROXIES),
      });
      return {
        url: listening.url,
        async stop() {
          await listening.close();
          await bus.close();
          await store.close();
        },
      };
    },
  });
}
