/** `sealwire move`: the server has another address. It is kept when the server there has shown that it is the same one. */
import { Client } from '@sealwire/client/client';
import type { Command } from 'commander';
import { type Context, openStorage, profileFor } from '../context.ts';
import { type AccountOptions, accountCommand } from '../options.ts';
import { writeNote } from '../profile.ts';

interface MoveOptions extends AccountOptions {
  readonly server: string;
}

export function moveCommand(context: () => Context): Command {
  return accountCommand('move', 'Give the account its server’s new address', [
    'sealwire move -s https://chat.new.example.org',
  ])
    .requiredOption('-s, --server <origin>', 'where the server is now')
    .action((options: MoveOptions) => move(context(), options));
}

async function move(context: Context, options: MoveOptions): Promise<void> {
  const profileContext = profileFor(context, options);
  const { profile, configuration, surroundings, output } = profileContext;
  const server = configuration.values.server.value as string;
  const storage = await openStorage(profileContext);
  let client: Client;
  try {
    client = await Client.move({ storage, server, runtime: surroundings.runtime, signal: surroundings.interrupted });
  } catch (error) {
    await storage.close();
    throw error;
  }
  const { address } = client;
  await client.close();
  writeNote(profile, { server, address });
  await output.data({ event: 'moved', address, server }, `${address} is at ${server} now`);
}
