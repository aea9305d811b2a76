/** `sealwire contacts`, `block`, `unblock`, `blocks`: whom the user knows, and who may write (docs/spec/contacts.md). */
import { Argument, type Command } from 'commander';
import type { ContactOrder, ContactOutcome, ContactRecord } from '../contact-orders.ts';
import { type Context, profileFor } from '../context.ts';
import { CliError } from '../exit-codes.ts';
import { type AccountOptions, accountCommand, group } from '../options.ts';
import { ordered } from '../ordered.ts';
import { printable } from '../printable.ts';
import { shortName } from '../recipient.ts';

interface WordOptions extends AccountOptions {
  readonly name?: string;
  readonly note?: string;
}

const WHOM = 'bob, bob@example.org or sip:bob@example.org';
const POLICIES = {
  everyone: 'everyone may write',
  requests: 'strangers may send one short message a day, and wait to be accepted',
  contacts: 'nothing of strangers arrives; they are not told',
} as const;

export function contactsCommand(context: () => Context): Command {
  const run = (order: ContactOrder, options: AccountOptions) => carryOut(context(), order, options);
  const list = accountCommand('list', 'List contacts', ['sealwire contacts']);
  list.action((options: AccountOptions) => run({ do: 'list' }, options));
  const add = accountCommand('add', 'Add somebody, or change name and note', [
    'sealwire contacts add bob --name "Bob of the choir"',
  ]);
  withWords(add.argument('<address>', WHOM)).action((of: string, options: WordOptions) =>
    run({ do: 'add', of, ...wordsOf(options) }, options),
  );
  const remove = accountCommand('remove', 'Remove somebody', ['sealwire contacts remove bob']);
  remove
    .argument('<address>', WHOM)
    .action((of: string, options: AccountOptions) => run({ do: 'remove', of }, options));
  const rename = accountCommand('rename', 'Give a contact a name of your own', ['sealwire contacts rename bob Robert']);
  rename
    .argument('<address>', WHOM)
    .argument('<name>', 'seen by you alone; "" for none')
    .action((of: string, name: string, options: AccountOptions) => run({ do: 'rename', of, name }, options));
  const requests = accountCommand('requests', 'List strangers who have asked to write', ['sealwire contacts requests']);
  requests.action((options: AccountOptions) => run({ do: 'requests' }, options));
  const accept = accountCommand('accept', 'Let somebody write who has asked', ['sealwire contacts accept bob']);
  withWords(accept.argument('<address>', WHOM)).action((of: string, options: WordOptions) =>
    run({ do: 'accept', of, ...wordsOf(options) }, options),
  );
  const decline = accountCommand('decline', 'Forget a request; nobody is told', ['sealwire contacts decline bob']);
  decline
    .argument('<address>', WHOM)
    .action((of: string, options: AccountOptions) => run({ do: 'decline', of }, options));
  const policy = accountCommand('policy', 'Show or choose who may write', [
    'sealwire contacts policy',
    'sealwire contacts policy requests',
  ]);
  policy
    .addArgument(new Argument('[policy]', 'who may').choices(Object.keys(POLICIES)))
    .action((chosen: keyof typeof POLICIES | undefined, options: AccountOptions) =>
      run({ do: 'policy', policy: chosen }, options),
    );
  return group('contacts', 'Whom you know, and who may write to you', [
    'sealwire contacts add bob --name "Bob of the choir"',
    'sealwire contacts',
    'sealwire contacts policy requests',
  ])
    .addCommand(list, { isDefault: true })
    .addCommand(add)
    .addCommand(remove)
    .addCommand(rename)
    .addCommand(requests)
    .addCommand(accept)
    .addCommand(decline)
    .addCommand(policy);
}

export function blockCommands(context: () => Context): Command[] {
  const run = (order: ContactOrder, options: AccountOptions) => carryOut(context(), order, options);
  return [
    accountCommand('block', 'Hear nothing of somebody any more; nobody is told', ['sealwire block eve'])
      .argument('<address>', WHOM)
      .action((of: string, options: AccountOptions) => run({ do: 'block', of }, options)),
    accountCommand('unblock', 'End a block', ['sealwire unblock eve'])
      .argument('<address>', WHOM)
      .action((of: string, options: AccountOptions) => run({ do: 'unblock', of }, options)),
    accountCommand('blocks', 'List whom you have blocked', ['sealwire blocks']).action((options: AccountOptions) =>
      run({ do: 'blocks' }, options),
    ),
  ];
}

function withWords(command: Command): Command {
  return command
    .option('--name <name>', 'your own name for them, seen by you alone')
    .option('--note <text>', 'a note, seen by you alone');
}

function wordsOf({ name, note }: WordOptions): { name?: string; note?: string } {
  return { ...(name !== undefined && { name }), ...(note !== undefined && { note }) };
}

async function carryOut(context: Context, order: ContactOrder, options: AccountOptions): Promise<void> {
  const { output } = context;
  const { own, records, offline } = await ordered<ContactOutcome>(profileFor(context, options), {
    contacts: order,
  });
  const short = (address: string) => shortName(address, own);
  for (const record of records) await output.data({ ...record }, lineOf(record, short));
  if (offline === undefined) return;
  if (order.do === 'list' || (order.do === 'policy' && !order.policy))
    output.note(`as this device knows it: ${offline}`);
  else
    throw new CliError(
      'offline',
      `kept on this device (${offline}): the server and your other devices have it with the next connection`,
    );
}

function lineOf(record: ContactRecord, short: (address: string) => string): string {
  switch (record.event) {
    case 'contact': {
      const { name, note } = record;
      const words = [short(record.address).padEnd(16), printable(name), note && `(${printable(note)})`];
      return words.filter(Boolean).join('  ').trimEnd();
    }
    case 'contact-removed':
      return `${short(record.address)} is no contact any more`;
    case 'request-declined':
      return `the request of ${short(record.address)} is forgotten`;
    case 'blocked':
      return `${short(record.address)} is blocked`;
    case 'unblocked':
      return `${short(record.address)} is not blocked`;
    case 'contact-request':
      return `${short(record.from)}: ${printable(record.text ?? `[${record.type}]`, 2)}`;
    case 'contact-policy':
      return `${record.policy.padEnd(10)}${POLICIES[record.policy]}`;
  }
}
