/** `sealwire doctor`: looks at everything that has to be right, and says for each thing that is not how to make it so (case K14). */
import type { Command } from 'commander';
import { type Context, profileFor } from '../context.ts';
import { checkConnection } from '../doctor/check-connection.ts';
import { checkKeys } from '../doctor/check-keys.ts';
import { checkServer } from '../doctor/check-server.ts';
import type { Finding } from '../doctor/finding.ts';
import { CliError } from '../exit-codes.ts';
import { type AccountOptions, accountCommand } from '../options.ts';
import { printable } from '../printable.ts';
import { readNote } from '../profile.ts';

interface DoctorOptions extends AccountOptions {
  readonly server?: string;
}

export function doctorCommand(context: () => Context): Command {
  return accountCommand('doctor', 'Check configuration, keys, server, clock, login, published keys and relay', [
    'sealwire doctor',
    'sealwire doctor -u alice --json | jq "select(.ok | not)"',
  ])
    .option('-s, --server <origin>', 'the server to look at (default: the one registered at)')
    .action((options: DoctorOptions) => doctor(context(), options));
}

async function doctor(context: Context, options: DoctorOptions): Promise<void> {
  const { output } = context;
  let failed = 0;
  const report = async (finding: Finding): Promise<boolean> => {
    const ok = finding.fix === undefined;
    if (!ok) failed++;
    const { name, detail, fix } = finding;
    const line = `${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(10)}${detail}${ok ? '' : ` → ${fix}`}`;
    await output.data({ event: 'check', name, ok, detail, fix: fix ?? null }, printable(line, 2));
    return ok;
  };

  // A mistake here ends it at once: nothing else could be looked up.
  const profileContext = profileFor(context, options);
  const { configuration, profile, surroundings } = profileContext;
  await report({ name: 'config', detail: `${configuration.file} (user ${profile.user})` });

  const server = options.server ?? readNote(profile)?.server ?? (configuration.values.server.value as string);
  let keysAreGood = true;
  // Keys that others may read, or that lie where nothing can be kept from others, are good ones all the same.
  for (const finding of checkKeys(profile))
    keysAreGood = ((await report(finding)) || finding.name === 'access') && keysAreGood;
  let serverIsGood = true;
  for await (const finding of checkServer(server, surroundings.runtime, surroundings.interrupted))
    serverIsGood = (await report(finding)) && serverIsGood;
  if (keysAreGood && serverIsGood) for (const finding of await checkConnection(profileContext)) await report(finding);
  if (failed > 0) throw new CliError('failure', `${failed} of the checks failed`);
}
