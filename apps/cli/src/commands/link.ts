/** `sealwire link`: makes this machine a device of an account with the word of one that is (docs/spec/linking.md). */
import { Client } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import type { Command } from 'commander';
import { type Context, type ProfileContext, profileFor, withClient } from '../context.ts';
import { type EnterOptions, enterAccount, entranceOptions } from '../enter-account.ts';
import { type AccountOptions, accountCommand, group } from '../options.ts';
import { ask } from '../prompt.ts';
import { pictureOf } from '../terminal-qr.ts';

interface ApproveOptions extends AccountOptions {
  readonly administrator?: boolean;
  readonly digits?: string;
}

export function linkCommand(context: () => Context): Command {
  const start = entranceOptions(
    accountCommand('new', 'Make this machine a further device: shows a code to be read on another one', [
      'sealwire link -u alice',
    ]),
  );
  start.action((options: EnterOptions) => linkThis(profileFor(context(), options), options));

  const approve = accountCommand('approve', 'Let a new device in, by the code that it shows', [
    'sealwire link approve CODE',
    'sealwire link approve CODE --administrator',
  ]);
  approve.argument('<code>', 'as the new device shows it');
  approve.option(
    '--administrator',
    'the new device may let others in and remove them, too: it cannot be kept out any more',
  );
  approve.option('--digits <dd>', 'the two digits that the new device shows, where there is no terminal to ask');
  approve.action((code: string, options: ApproveOptions) =>
    approveOther(profileFor(context(), options), code, options),
  );

  return group('link', 'Link a new device to an account', ['sealwire link -u alice', 'sealwire link approve CODE'])
    .addCommand(start, { isDefault: true })
    .addCommand(approve);
}

function linkThis(context: ProfileContext, options: EnterOptions): Promise<void> {
  const { output, surroundings } = context;
  return enterAccount(context, options, (entrance) =>
    Client.link({
      ...entrance,
      code(code) {
        void output.data({ event: 'link-code', code }, code);
        if (surroundings.stderr.isTTY) output.note(pictureOf(code));
        output.note('on a device of the account, within 90 seconds: sealwire link approve CODE');
      },
      digits(digits) {
        void output.data({ event: 'link-digits', digits }, `type there: ${digits}`);
      },
    }),
  );
}

async function approveOther(context: ProfileContext, code: string, options: ApproveOptions): Promise<void> {
  const { output, surroundings } = context;
  await withClient(context, async (client) => {
    const request = await client.devices.answerLink(code, { signal: surroundings.interrupted });
    const terms = { administrator: options.administrator ?? false };
    for (;;) {
      const digits = options.digits ?? (await askDigits(context));
      try {
        const id = await request.approve(digits, terms);
        await output.data({ event: 'linked', id, administrator: terms.administrator }, `linked ${id}`);
        output.note(`if that was not you: sealwire devices undo, after ten minutes sealwire devices remove '${id}'`);
        return;
      } catch (error) {
        const isTypo = error instanceof ClientError && error.code === 'wrong-digits' && options.digits === undefined;
        if (!isTypo) throw error;
        output.warn(error.message);
      }
    }
  });
}

function askDigits({ surroundings }: ProfileContext): Promise<string> {
  return ask('It will read what is written to you. The two digits that the new device shows: ', surroundings, {
    echo: true,
    otherwise: 'there is no terminal to ask for the digits that the new device shows: give them with --digits',
  });
}
