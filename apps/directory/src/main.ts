/** The key directory as a process of its own. `main.ts --help` lists the settings. */

import { createTokenVerifier } from '@sealwire/access/tokens';
import { openBus, openCounters } from '@sealwire/bus/open';
import { nodeCrypto } from '@sealwire/crypto/node';
import { requireRandomness, systemRandom } from '@sealwire/crypto/random';
import { bootServer } from '@sealwire/service/boot-server';
import { originOf } from '@sealwire/service/public-origin';
import { openStore } from '@sealwire/store/open';
import { directorySettings } from './settings.ts';
import { openNesProvider, startDirectory } from './start.ts';

await bootServer({
  name: 'directory',
  main: import.meta.url,
  schema: directorySettings,
  now: Date.now,
  openStore,
  openBus,
  openCounters,
  withoutNews: 'other processes hear nothing of changes',
  async start(context) {
    const { settings, now, tracing } = context;
    const tokens = createTokenVerifier({
      jwks: new URL(settings.TOKEN_JWKS_URL),
      issuer: originOf(settings.PUBLIC_ORIGIN),
      now,
      traceparent: tracing && (() => tracing.current()),
    });
    requireRandomness(systemRandom);
    const { APP_PASSWORD_KEY: appPasswordKey, DIRECTORY_SIGNING_KEY: signingKey } = settings;
    const nes = await openNesProvider(settings, { ...context, random: systemRandom });
    const keys = { appPasswordKey, signingKey };
    return startDirectory({ ...context, crypto: nodeCrypto(), random: systemRandom, tokens, ...keys, nes });
  },
});
