/** The API server as a process of its own. `main.ts --help` lists the settings; `main.ts invite` prints an invitation code. */
import { openBus } from '@sealwire/bus/open';
import { nodeCrypto } from '@sealwire/crypto/node';
import { requireRandomness, systemRandom } from '@sealwire/crypto/random';
import { bootServer } from '@sealwire/service/boot-server';
import { processSources } from '@sealwire/service/config';
import { openStore } from '@sealwire/store/open';
import { inviteCommand } from './accounts/invite-command.ts';
import { apiSettings } from './settings.ts';
import { startApi } from './start.ts';

if (process.argv[2] === 'invite') {
  const sources = processSources();
  process.exitCode = await inviteCommand({ ...sources, argv: sources.argv.slice(1) }, Date.now(), {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  });
} else {
  await bootServer({
    name: 'api',
    main: import.meta.url,
    schema: apiSettings,
    now: Date.now,
    openStore,
    openBus,
    withoutNews: 'other processes hear nothing of changes',
    start(context) {
      requireRandomness(systemRandom);
      const { TOKEN_KEY: tokenKey, APP_PASSWORD_KEY: appPasswordKey } = context.settings;
      return startApi({ ...context, crypto: nodeCrypto(), random: systemRandom, tokenKey, appPasswordKey });
    },
  });
}
