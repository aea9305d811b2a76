/** `sealwire config`: shows the settings in effect and where each comes from, and changes them in the file. */
import type { Command } from 'commander';
import { SETTING_NAMES, SETTINGS, type SettingName, writeSetting } from '../configuration.ts';
import { type Context, configurationFor } from '../context.ts';
import { CliError } from '../exit-codes.ts';
import { foldersOf } from '../folders.ts';
import { type CommonOptions, command, group } from '../options.ts';
import { existingUsers } from '../profile.ts';

export function configCommand(context: () => Context): Command {
  const show = command('show', 'Show the settings in effect', ['sealwire config show', 'sealwire config show --json']);
  show.action((options: CommonOptions) => showSettings(context(), options));

  const path = command('path', 'Print the name of the configuration file', ['$EDITOR "$(sealwire config path)"']);
  path.action(async (options: CommonOptions) => {
    const { file } = configurationFor(context(), options);
    await context().output.data({ event: 'path', file }, file);
  });

  const set = command('set', 'Change a setting in the configuration file', [
    'sealwire config set server https://chat.example.org',
    'sealwire config set user alice',
  ])
    .argument('<name>', `one of ${SETTING_NAMES.join(', ')}`)
    .argument('<value>');
  set.action((name: string, value: string, options: CommonOptions) => setSetting(context(), name, value, options));

  return group('config', 'Show or change the settings', [
    'sealwire config show',
    'sealwire config set server https://chat.example.org',
  ])
    .addCommand(show, { isDefault: true })
    .addCommand(path)
    .addCommand(set);
}

async function showSettings(context: Context, options: CommonOptions): Promise<void> {
  const { values, file } = configurationFor(context, options);
  const { profiles } = foldersOf(context.surroundings);
  for (const name of SETTING_NAMES) {
    const { value, source } = values[name];
    const line = `${name.padEnd(16)}${value ?? '-'}  (${source}; ${SETTINGS[name].variable})`;
    await context.output.data({ event: 'setting', name, value: value ?? null, source }, line);
  }
  context.output.note(`file: ${file}\nkeys: ${profiles} (${existingUsers(profiles).join(', ') || 'none yet'})`);
}

async function setSetting(context: Context, name: string, value: string, options: CommonOptions): Promise<void> {
  const { file } = configurationFor(context, options);
  if (!(name in SETTINGS))
    throw new CliError('usage', `there is no setting "${name}" (there are: ${SETTING_NAMES.join(', ')})`);
  writeSetting(file, name as SettingName, value);
  await context.output.data({ event: 'set', name, value, file }, `${name} = ${value}`);
}
