/** `sealwire receipts`: whether others are told that their messages have arrived and were read (docs/spec/messages.md section 7). */
import type { ReceiptLevel } from '@sealwire/client/receipts';
import { Argument, type Command } from 'commander';
import { type Context, profileFor, withClient } from '../context.ts';
import { type AccountOptions, accountCommand } from '../options.ts';
import { parseRecipient, shortName } from '../recipient.ts';

interface ReceiptsOptions extends AccountOptions {
  readonly to?: string;
}

const MEANINGS: Readonly<Record<ReceiptLevel, string>> = {
  on: 'that their messages have arrived and were read',
  delivered: 'that their messages have arrived, not that they were read',
  off: 'nothing, until they are written to',
};

export function receiptsCommand(context: () => Context): Command {
  return accountCommand('receipts', 'Show or choose what others are told of their messages', [
    'sealwire receipts',
    'sealwire receipts on',
    'sealwire receipts off -t bob',
  ])
    .addArgument(new Argument('[level]', 'what they are told').choices(['on', 'delivered', 'off']))
    .option('-t, --to <address>', 'for the conversation with bob, bob@example.org or sip:bob@example.org')
    .action((level: ReceiptLevel | undefined, options: ReceiptsOptions) => receipts(context(), level, options));
}

async function receipts(context: Context, level: ReceiptLevel | undefined, options: ReceiptsOptions): Promise<void> {
  await withClient(profileFor(context, options), async (client) => {
    const to = options.to === undefined ? undefined : parseRecipient(options.to, client.address);
    if (level) await client.receipts.setLevel(level, to);
    const others = to === undefined && !level ? client.receipts.conversations() : [];
    for (const conversation of [to, ...others]) {
      const now = client.receipts.level(conversation);
      const whom = conversation === undefined ? 'all others' : shortName(conversation, client.address);
      const record = { event: 'receipts', to: conversation ?? null, level: now };
      await context.output.data(record, `${now.padEnd(10)}${whom}: ${MEANINGS[now]}`);
    }
  });
}
