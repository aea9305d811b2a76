/** `sealwire completion`: a script for the shell, made from the commands themselves. */
import { Argument, type Command } from 'commander';
import type { Context } from '../context.ts';
import { command } from '../options.ts';

export function completionCommand(context: () => Context, program: () => Command): Command {
  return command('completion', 'Print a completion script for a shell', [
    'source <(sealwire completion bash)',
    'sealwire completion zsh > ~/.zfunc/_sealwire',
  ])
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh']))
    .action(async (shell: 'bash' | 'zsh') => {
      const script = shell === 'bash' ? bash(program()) : zsh(program());
      const { output } = context();
      await (output.json ? output.data({ event: 'completion', shell, script }, '') : output.raw(script));
    });
}

interface Entry {
  readonly path: string;
  readonly words: readonly string[];
}

/** Each command path with the words that may follow it. */
function entries(command: Command, path: string): Entry[] {
  const words = [
    ...command.commands.map((child) => child.name()),
    ...command.options.flatMap((option) => (option.long ? [option.long] : [])),
  ];
  return [{ path, words }, ...command.commands.flatMap((child) => entries(child, `${path} ${child.name()}`))];
}

function bash(program: Command): string {
  const cases = entries(program, program.name()).map(
    ({ path, words }) => `    "${path}") words="${words.join(' ')}" ;;`,
  );
  return `# bash completion of sealwire
_sealwire() {
  local path="sealwire" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ \${COMP_WORDS[i]} == -* ]] && break
    path="$path \${COMP_WORDS[i]}"
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _sealwire sealwire
`;
}

function zsh(program: Command): string {
  const cases = entries(program, program.name()).map(
    ({ path, words }) => `    "${path}") compadd -- ${words.join(' ')} ;;`,
  );
  return `#compdef sealwire
_sealwire() {
  local path="sealwire" i
  for ((i = 2; i < CURRENT; i++)); do
    [[ $words[i] == -* ]] && break
    path="$path $words[i]"
  done
  case "$path" in
${cases.join('\n')}
  esac
}
_sealwire "$@"
`;
}
