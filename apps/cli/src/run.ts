/** The program: one command a file, one line for every mistake, one exit code from the table. */
import { type Command, CommanderError } from 'commander';
import { appPasswordsCommand } from './commands/app-passwords.ts';
import { chatCommand } from './commands/chat.ts';
import { completionCommand } from './commands/completion.ts';
import { configCommand } from './commands/config.ts';
import { blockCommands, contactsCommand } from './commands/contacts.ts';
import { devicesCommand } from './commands/devices.ts';
import { doctorCommand } from './commands/doctor.ts';
import { fileCommand } from './commands/file.ts';
import { groupCommand } from './commands/group.ts';
import { historyCommand } from './commands/history.ts';
import { deleteAccountCommand, logoutCommand } from './commands/leave.ts';
import { linkCommand } from './commands/link.ts';
import { listenCommand } from './commands/listen.ts';
import { messageAboutCommands } from './commands/message-about.ts';
import { moveCommand } from './commands/move.ts';
import { nesCommand } from './commands/nes/nes.ts';
import { passwdCommand } from './commands/passwd.ts';
import { presenceCommand } from './commands/presence.ts';
import { receiptsCommand } from './commands/receipts.ts';
import { recoverCommand } from './commands/recover.ts';
import { recoveryCommand } from './commands/recovery.ts';
import { registerCommand } from './commands/register.ts';
import { sendCommand } from './commands/send.ts';
import { sessionsCommand } from './commands/sessions.ts';
import { trustCommand } from './commands/trust.ts';
import { verifyCommand } from './commands/verify.ts';
import { versionCommand } from './commands/version.ts';
import { whoamiCommand } from './commands/whoami.ts';
import type { Context } from './context.ts';
import { EXIT_CODES, endingOf, isBrokenPipe } from './exit-codes.ts';
import { collect, SealwireCommand } from './options.ts';
import { Output } from './output.ts';
import type { Surroundings } from './surroundings.ts';

/** Runs one command line; resolves with the exit code and never rejects. */
export async function run(surroundings: Surroundings): Promise<number> {
  const output = outputOf(surroundings);
  try {
    await buildProgram({ surroundings, output }).parseAsync(surroundings.argv, { from: 'user' });
    return EXIT_CODES.ok.code;
  } catch (error) {
    const ending = endingOf(error);
    // commander has already written its own usage line, or the help that was asked for.
    if (!(error instanceof CommanderError || isBrokenPipe(error))) output.error(error);
    return EXIT_CODES[ending].code;
  }
}

function buildProgram(context: Context): Command {
  const { surroundings, output } = context;
  const give = () => context;
  const program = new SealwireCommand('sealwire')
    .description('End-to-end-encrypted chat from the command line')
    .usage('<command> [options]')
    .addHelpText('before', 'Examples:\n  sealwire register -u alice\n  sealwire chat -u alice -t bob\n')
    .addHelpText('after', '\n`sealwire help <command>` shows the examples and options of one command.')
    .version(surroundings.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .showSuggestionAfterError(true);
  const commands = [
    registerCommand(give),
    sendCommand(give),
    ...messageAboutCommands(give),
    listenCommand(give),
    chatCommand(give),
    fileCommand(give),
    groupCommand(give),
    devicesCommand(give),
    linkCommand(give),
    recoveryCommand(give),
    recoverCommand(give),
    appPasswordsCommand(give),
    configCommand(give),
    doctorCommand(give),
    verifyCommand(give),
    trustCommand(give),
    sessionsCommand(give),
    receiptsCommand(give),
    presenceCommand(give),
    contactsCommand(give),
    ...blockCommands(give),
    historyCommand(give),
    whoamiCommand(give),
    passwdCommand(give),
    moveCommand(give),
    logoutCommand(give),
    deleteAccountCommand(give),
    nesCommand(give),
    versionCommand(give),
    completionCommand(give, () => program),
  ];
  for (const command of commands) program.addCommand(command);
  forEachCommand(program, (command) => {
    command.exitOverride();
    refuseRepeated(command);
    command.configureOutput({
      writeOut: (text) => surroundings.stdout.write(text),
      writeErr: (text) => writeUsageError(output, surroundings, text),
    });
  });
  return program;
}

/** The JSON mode has to be known before the command line is parsed: a mistake in it is reported in that form, too. */
function outputOf({ argv, env, stdout, stderr }: Surroundings): Output {
  return new Output({ stdout, stderr, json: argv.includes('--json'), color: !env.NO_COLOR && stderr.isTTY === true });
}

function writeUsageError(output: Output, { stderr }: Surroundings, text: string): void {
  if (!text.startsWith('error:')) return void stderr.write(text);
  output.error(new CommanderError(EXIT_CODES.usage.code, 'usage', text.replace(/^error: /, '').trim()));
}

/** Of two values one would be left out in silence. */
function refuseRepeated(command: Command): void {
  for (const option of command.options.filter(({ parseArg }) => parseArg !== (collect as typeof parseArg))) {
    let times = 0;
    command.on(`option:${option.name()}`, () => {
      if (++times > 1) command.error(`error: option '${option.flags}' is there more than once`);
    });
  }
}

function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) forEachCommand(child, visit);
}
