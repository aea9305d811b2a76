/** `sealwire verify`: two people compare what their devices believe of each other, over a channel that the server does not carry. */
import type { Command } from 'commander';
import { type Context, profileFor, withClient } from '../context.ts';
import { CliError } from '../exit-codes.ts';
import { type AccountOptions, accountCommand } from '../options.ts';
import { confirm } from '../prompt.ts';
import { parseRecipient, shortName } from '../recipient.ts';
import { keysOf, keysRecord } from '../show-keys.ts';

interface VerifyOptions extends AccountOptions {
  readonly to: string;
  readonly yes?: boolean;
}

export function verifyCommand(context: () => Context): Command {
  return accountCommand('verify', 'Compare keys with somebody, and trust them from then on', [
    'sealwire verify -t bob',
    'sealwire verify -t bob --yes',
  ])
    .requiredOption('-t, --to <address>', 'bob, bob@example.org or sip:bob@example.org')
    .option('--yes', 'do not ask: the keys have been compared')
    .action((options: VerifyOptions) => verify(context(), options));
}

async function verify(context: Context, options: VerifyOptions): Promise<void> {
  const { output, surroundings } = context;
  await withClient(profileFor(context, options), async (client) => {
    const address = parseRecipient(options.to, client.address);
    const name = shortName(address, client.address);
    if (address === client.address) throw new CliError('usage', 'that is your own account: whoami shows its keys');
    const own = await client.peer(client.address);
    const peer = await client.peer(address);
    await output.data({ event: 'keys', ...keysRecord(peer) }, keysOf(peer));
    await output.data({ event: 'keys', ...keysRecord(own) }, keysOf(own));
    await confirm(`Does ${name} see the same two account keys? [y/N] `, surroundings, {
      yes: options.yes,
      otherwise: `compare the account keys with ${name}, on the telephone or side by side, then give --yes`,
      refused: `${name} is not trusted`,
    });
    for (const { id } of peer.devices) await client.setTrust(id, 'trusted');
    await output.data({ event: 'trusted', address, devices: peer.devices.map(({ id }) => id) }, `${name} is trusted`);
  });
}
