/** `sealwire-server copy-store FROM [TO]` (docs/operations/moving.md); without TO into `STORE_URL`, which no list of processes shows. */
import { ConfigError } from '@sealwire/service/config';
import { copyStore } from '@sealwire/store/copying';
import { storeCommand } from './store-command.ts';

/** Accounts between two lines about how far it is. */
const TOLD_EVERY = 5_000;

await storeCommand('copy-store', async (words, { STORE_URL, DOMAIN }) => {
  const [from, to = STORE_URL] = words;
  if (from === undefined || words.length > 2)
    throw new ConfigError('arguments', 'write copy-store lmdb:FOLDER mongodb://HOST/DATABASE');
  let told = -TOLD_EVERY;
  let was = '';
  const { accounts, domains, messages, ids, digest } = await copyStore({
    from,
    to,
    now: Date.now(),
    domain: DOMAIN,
    report(doing, done, of) {
      if (doing === was && done - told < TOLD_EVERY) return true;
      [was, told] = [doing, done];
      process.stderr.write(`${doing}: ${done} of ${of} accounts\n`);
      return true;
    },
  });
  process.stdout.write(
    `copied and compared: ${accounts} accounts of ${domains.join(', ') || 'no domain'}, ${messages} messages, ${ids} message ids; digest of both sides ${digest}; the folder is marked as moved\n`,
  );
  return 0;
});
