/** `sealwire whoami`: whose keys these are, and what others should see of them. Asks nobody. */
import type { Command } from 'commander';
import { type Context, profileFor, withClient } from '../context.ts';
import { type AccountOptions, accountCommand } from '../options.ts';
import { keysOf, keysRecord } from '../show-keys.ts';

export function whoamiCommand(context: () => Context): Command {
  return accountCommand('whoami', 'Show the account, this device and its keys', ['sealwire whoami']).action(
    (options: AccountOptions) => whoami(context(), options),
  );
}

async function whoami(context: Context, options: AccountOptions): Promise<void> {
  await withClient(profileFor(context, options), async (client) => {
    const { address, device, server } = client;
    const own = client.trust.peers().find((peer) => peer.address === address) ?? (await client.trust.peer(address));
    const text = `${keysOf(own)}\nthis device: ${device}\nserver: ${server}`;
    await context.output.data({ event: 'whoami', ...keysRecord(own), device, server }, text);
  });
}
