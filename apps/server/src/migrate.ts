/** `sealwire-server migrate status|up` (docs/operations/mongodb.md, section 3): exit code 1 when something is left to do. */
import { ConfigError } from '@sealwire/service/config';
import { linesOf, migrate } from '@sealwire/store/migrating';
import { storeCommand } from './store-command.ts';

await storeCommand('migrate', async (words, { STORE_URL: url }) => {
  const [word] = words;
  if (words.length !== 1 || (word !== 'status' && word !== 'up'))
    throw new ConfigError('arguments', 'write migrate status or migrate up');
  const { lines, isDone } = linesOf(await migrate(word, { url }));
  process.stdout.write(`${lines.join('\n')}\n`);
  return isDone ? 0 : 1;
});
