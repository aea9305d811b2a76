/** The relay as a process of its own. `main.ts --help` lists the settings. */

import { createTokenVerifier } from '@sealwire/access/tokens';
import { joinRegions, openBus, openCounters } from '@sealwire/bus/open';
import { requireRandomness, systemRandom } from '@sealwire/crypto/random';
import { bootServer } from '@sealwire/service/boot-server';
import { trustedProxies } from '@sealwire/service/client-address';
import { tuneCollector } from '@sealwire/service/collector';
import { DiskWatch, folderOfUrl } from '@sealwire/service/disk-watch';
import { originOf } from '@sealwire/service/public-origin';
import { openStore } from '@sealwire/store/open';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { relayConfig, relaySettings } from './config.ts';
import { DEFAULT_SETTINGS, startRelay } from './start.ts';

tuneCollector();
await bootServer({
  name: 'relay',
  main: import.meta.url,
  schema: relayConfig,
  now: Date.now,
  openStore,
  openBus,
  openCounters,
  regions: { peersOf: ({ BUS_PEERS }) => BUS_PEERS, join: joinRegions },
  withoutNews: 'news of other processes come by the poll only',
  prefix: DEFAULT_SETTINGS.path,
  start(context) {
    requireRandomness(systemRandom);
    const { settings: config, now, tracing } = context;
    return startRelay({
      ...context,
      disks: new DiskWatch({
        ...context,
        folders: { store: folderOfUrl(config.STORE_URL) },
        uploadsStopBelow: 0,
        messagesStopBelow: config.MESSAGES_STOP_BELOW_BYTES,
      }),
      tokens: createTokenVerifier({
        jwks: new URL(config.TOKEN_JWKS_URL),
        issuer: originOf(config.PUBLIC_ORIGIN),
        now,
        traceparent: tracing && (() => tracing.current()),
      }),
      random: systemRandom,
      // A prefix: base64url may begin with what a node id must not begin with.
      nodeId: config.NODE_ID ?? `relay-${encodeBase64url(systemRandom(12))}`,
      settings: relaySettings(config),
      proxies: trustedProxies(config.TRUSTED_PROXIES),
    });
  },
});
