/** `sealwire nes …`: a user of the NES messenger, with other keys, another server and other messages than everything else here. */
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { group } from '../../options.ts';
import { nesChatCommand } from './chat.ts';
import { nesConfigCommand } from './config.ts';
import { nesGenerateCommand } from './generate.ts';
import { nesListenCommand } from './listen.ts';
import { nesRegisterCommand } from './register.ts';
import { nesSendCommand } from './send.ts';

export function nesCommand(context: () => Context): Command {
  return group('nes', 'Talk with users of the NES messenger', [
    'sealwire nes generate -u alice',
    'sealwire nes config -u alice -b mqtts://broker.example.org -p https://chat.example.org -P provider.pem',
    'sealwire nes register -u alice -e alice@example.com',
    'sealwire nes chat -u alice -t bob',
  ])
    .addCommand(nesGenerateCommand(context))
    .addCommand(nesConfigCommand(context))
    .addCommand(nesRegisterCommand(context))
    .addCommand(nesSendCommand(context))
    .addCommand(nesListenCommand(context))
    .addCommand(nesChatCommand(context));
}
