/** The key directory as a process of its own. `main.ts --help` lists the settings. */
import { openBus } from '@sealwire/bus/open';
import { nodeCrypto } from '@sealwire/crypto/node';
import { boot, openOrExplain } from '@sealwire/service/boot';
import { trustedProxies } from '@sealwire/service/client-address';
import { createHealth } from '@sealwire/service/health';
import { listen } from '@sealwire/service/listen';
import { createTokenVerifier } from '@sealwire/service/tokens';
import { openStore } from '@sealwire/store/open';
import { directorySettings } from './settings.ts';
import { startDirectory } from './start.ts';

await boot({
  name: 'directory',
  main: import.meta.url,
  schema: directorySettings,
  now: Date.now,
  async run({ settings, version, log, metrics, now }) {
    const store = await openOrExplain('STORE_URL', () => openStore(settings.STORE_URL));
    const bus = await openOrExplain('BUS_URL', () => openBus(settings.BUS_URL));
    if (settings.BUS_URL === 'memory:')
      log.warn('bus-is-in-process', { setting: 'BUS_URL', reason: 'other processes hear nothing of changes' });
    const tokens = createTokenVerifier({ jwks: new URL(settings.TOKEN_JWKS_URL), issuer: settings.PUBLIC_ORIGIN, now });
    const door = await startDirectory({
      store,
      bus,
      crypto: nodeCrypto(),
      now,
      log,
      metrics,
      settings,
      tokens,
      version,
    });
    const listening = await listen({
      address: settings.LISTEN,
      routes: [{ prefix: '/', door }],
      health: createHealth({ server: 'directory', version, ready: () => door.ready(), metrics, log, now }),
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
