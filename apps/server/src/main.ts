#!/usr/bin/env node
/**
 * `sealwire-server COMMAND …`: the one entry of a deployment, by hand (`npm run server -- relay`) and in the container image
 * (infra/docker/). Each command is loaded when it is asked for, and sees the arguments after its name as if it had been started alone.
 */
import { COMMANDS, findCommand, usage } from './commands.ts';

const [name = '--help'] = process.argv.splice(2, 1);
const command = findCommand(name);

if (command) await COMMANDS[command].load();
else if (name === '--help' || name === '-h') process.stdout.write(usage());
else {
  process.stderr.write(
    `sealwire-server: there is no command ${name} — use one of ${Object.keys(COMMANDS).join(', ')}\n`,
  );
  process.exitCode = 2;
}
