/** The program: one command a file, one line for every mistake, one exit code from the table. */
import { Command, CommanderError } from 'commander';
import pc from 'picocolors';
import { agentCommand } from './commands/agent.ts';
import { chatCommand } from './commands/chat.ts';
import { compareCommand } from './commands/compare.ts';
import { connectCommand } from './commands/connect.ts';
import { controllerCommand } from './commands/controller.ts';
import { doctorCommand } from './commands/doctor.ts';
import { filesCommand } from './commands/files.ts';
import { groupCommand } from './commands/group.ts';
import { keysCommand } from './commands/keys.ts';
import { reportCommand } from './commands/report.ts';
import { scenarioCommand } from './commands/scenario.ts';
import { soakCommand } from './commands/soak.ts';
import { stormCommand } from './commands/storm.ts';
import type { Context } from './context.ts';
import { type Ending, EXIT_CODES, LoadError } from './errors.ts';
import { errorText } from './showing/error-text.ts';
import type { Surroundings } from './surroundings.ts';

/** Runs one command line; resolves with the exit code and never rejects. */
export async function run(surroundings: Surroundings): Promise<number> {
  const { argv, env, stderr, stdout } = surroundings;
  const colors = pc.createColors(!env.NO_COLOR && stderr.isTTY === true);
  const tell = (text: string) => stderr.write(`${colors.red('sealwire-load:')} ${text}\n`);
  let ending: Ending = 'ok';
  const program = programOf({
    surroundings,
    run,
    end: (how) => {
      ending = how;
    },
  });
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride();
    command.configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => (text.startsWith('error: ') ? tell(text.slice(7).trim()) : stderr.write(text)),
    });
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return EXIT_CODES[ending].code;
  } catch (error) {
    // commander has written its own line, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok.code : EXIT_CODES.usage.code;
    tell(errorText(error));
    return EXIT_CODES[error instanceof LoadError ? error.ending : 'failure'].code;
  }
}

function programOf(context: Context): Command {
  const program = new Command('sealwire-load')
    .description('Load on a Sealwire deployment, and a verdict on every message')
    .usage('<command> [options]')
    .addHelpText('before', 'Example:\n  sealwire-load chat http://127.0.0.1:8080 --pairs 10 --rate 50 --duration 5s\n')
    .addHelpText('after', '\n`sealwire-load help <command>` shows the options of one command.')
    .version(context.surroundings.version, '-V, --version', 'print the version')
    // An option is that of the command which it is behind: `report` and `report diff` both have --html.
    .enablePositionalOptions()
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .showSuggestionAfterError(true);
  const commands = [
    chatCommand,
    groupCommand,
    connectCommand,
    stormCommand,
    soakCommand,
    keysCommand,
    filesCommand,
    scenarioCommand,
    agentCommand,
    controllerCommand,
    compareCommand,
    reportCommand,
    doctorCommand,
  ];
  for (const command of commands) program.addCommand(command(context));
  return program;
}
