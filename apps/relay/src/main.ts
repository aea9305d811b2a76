/** The relay as a process of its own. `main.ts --help` lists the settings. */
import { openBus } from '@sealwire/bus/open';
import { nodeCrypto } from '@sealwire/crypto/node';
import { requireRandomness, systemRandom } from '@sealwire/crypto/random';
import { boot, openOrExplain } from '@sealwire/service/boot';
import { trustedProxies } from '@sealwire/service/client-address';
import { createHealth } from '@sealwire/service/health';
import { listen } from '@sealwire/service/listen';
import { createTokenVerifier } from '@sealwire/service/tokens';
import { openStore } from '@sealwire/store/open';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { relayConfig, relaySettings } from './config.ts';
import { startRelay } from './start.ts';

await boot({
  name: 'relay',
  main: import.meta.url,
  schema: relayConfig,
  now: Date.now,
  async run({ settings: config, version, log, metrics, now }) {
    requireRandomness(systemRandom);
    const store = await openOrExplain('STORE_URL', () => openStore(config.STORE_URL));
    const bus = await openOrExplain('BUS_URL', () => openBus(config.BUS_URL));
    if (config.BUS_URL === 'memory:')
      log.warn('bus-is-in-process', { setting: 'BUS_URL', reason: 'news of other processes come by the poll only' });
    const settings = relaySettings(config);
    const door = await startRelay({
      store,
      bus,
      tokens: createTokenVerifier({ jwks: new URL(config.TOKEN_JWKS_URL), issuer: config.PUBLIC_ORIGIN, now }),
      crypto: nodeCrypto(),
      log,
      metrics,
      now,
      random: systemRandom,
      // A prefix: base64url may begin with what a node id must not begin with.
      nodeId: config.NODE_ID ?? `relay-${encodeBase64url(systemRandom(12))}`,
      settings,
    });
    const listening = await listen({
      address: config.LISTEN,
      routes: [{ prefix: settings.path, door }],
      health: createHealth({ server: 'relay', version, ready: () => door.ready(), metrics, log, now }),
      log,
      metrics,
      connectionsPerAddress: config.CONNECTIONS_PER_ADDRESS,
      proxies: trustedProxies(config.TRUSTED_PROXIES),
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
