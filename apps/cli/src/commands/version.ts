/** `sealwire version`. */
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { command } from '../options.ts';

export function versionCommand(context: () => Context): Command {
  return command('version', 'Print the version', ['sealwire version']).action(async () => {
    const { surroundings, output } = context();
    const { version } = surroundings;
    await output.data({ event: 'version', version, node: process.versions.node }, version);
  });
}
