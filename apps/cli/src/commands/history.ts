/** `sealwire history`: messages kept on this machine, when they are to be (docs/spec/history.md). Off unless switched on. */
import { once } from 'node:events';
import { resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import type { HistorySettings, Imported } from '@sealwire/client/history';
import type { AccountAddress } from '@sealwire/wire/ids';
import { type Command, InvalidArgumentError } from 'commander';
import { type Context, type ProfileContext, profileFor } from '../context.ts';
import { CliError } from '../exit-codes.ts';
import { placeFor, saveFile } from '../files/save-file.ts';
import type { HistoryOrder, KeptConversation, KeptRecord, Told } from '../history/history-orders.ts';
import { type AccountOptions, accountCommand, group } from '../options.ts';
import { ordered } from '../ordered.ts';
import { readFilePassphrase } from '../passphrase.ts';
import { printable } from '../printable.ts';
import { confirm } from '../prompt.ts';
import { shortName } from '../recipient.ts';
import { timeOfDay } from '../show-event.ts';

interface PageOptions extends AccountOptions {
  readonly to?: string;
  readonly limit: number;
  readonly before?: string;
}

interface FileOptions extends AccountOptions {
  readonly filePassphraseFile?: string;
  readonly force?: boolean;
}

interface OnOptions extends AccountOptions {
  readonly days?: number;
  readonly messages?: number;
}

type ClearOptions = AccountOptions & { readonly to?: string; readonly yes?: boolean };

export function historyCommand(context: () => Context): Command {
  const on = accountCommand('on', 'Keep messages from now on', ['sealwire history on', 'sealwire history on --days 30'])
    .option('--days <n>', 'older ones go', wholeNumber)
    .option('--messages <n>', 'of each conversation the newest so many stay', wholeNumber)
    .action(({ days, messages, ...options }: OnOptions) =>
      configure(profileFor(context(), options), { do: 'set', on: true, days, messages }),
    );
  const off = accountCommand('off', 'Keep no more messages; those that are kept stay until `clear`', [
    'sealwire history off',
  ]).action((options: AccountOptions) => configure(profileFor(context(), options), { do: 'set', on: false }));
  const status = accountCommand('status', 'Show whether messages are kept', ['sealwire history status']).action(
    (options: AccountOptions) => configure(profileFor(context(), options), { do: 'settings' }),
  );
  const list = accountCommand('list', 'List the conversations', ['sealwire history list']).action(
    (options: AccountOptions) => listConversations(profileFor(context(), options)),
  );
  const show = paged(
    accountCommand('show', 'Show the newest messages of a conversation', [
      'sealwire history show bob',
      'sealwire history show bob --limit 200 --json | jq -r .text',
    ]).argument('<address>', 'bob, bob@example.org or sip:bob@example.org'),
  ).action((to: string, { limit, before, ...options }: PageOptions) =>
    showMessages(profileFor(context(), options), { do: 'show', to, limit, before }),
  );
  const search = paged(
    accountCommand('search', 'Find messages by words in them, whatever case and accents', [
      'sealwire history search zurich',
      'sealwire history search -t bob "old bridge"',
    ])
      .argument('<text>', 'parts of words; a message has all of them')
      .option('-t, --to <address>', 'in the conversation with this one'),
  ).action((text: string, { to, limit, before, ...options }: PageOptions) =>
    showMessages(profileFor(context(), options), { do: 'search', text, to, limit, before }),
  );
  const exported = withPassphrase(
    accountCommand('export', 'Write all messages into one encrypted file', ['sealwire history export bridge.history'])
      .argument('<file>', 'where to')
      .option('--force', 'replace a file that is there'),
  ).action((file: string, options: FileOptions) => exportTo(profileFor(context(), options), file, options));
  const imported = withPassphrase(
    accountCommand('import', 'Put the messages of such a file between those that are here', [
      'sealwire history import bridge.history',
    ]).argument('<file>', 'made by `history export`'),
  ).action((file: string, options: FileOptions) => importFrom(profileFor(context(), options), file, options));
  const clear = accountCommand('clear', 'Take messages away, from this machine', [
    'sealwire history clear -t bob',
    'sealwire history clear --yes',
  ])
    .option('-t, --to <address>', 'the conversation with this one (default: all)')
    .option('--yes', 'do not ask')
    .action((options: ClearOptions) => clearMessages(profileFor(context(), options), options));
  const history = group('history', 'Messages kept on this machine', [
    'sealwire history on',
    'sealwire history show bob',
  ]).addCommand(status, { isDefault: true });
  for (const command of [on, off, list, show, search, exported, imported, clear]) history.addCommand(command);
  return history;
}

const paged = (command: Command) =>
  command
    .option('--limit <n>', 'at most so many, from 1 to 1000', wholeNumber, 50)
    .option('--before <cursor>', 'older ones than before, as the last answer named them');

const withPassphrase = (command: Command) =>
  command.option('--file-passphrase-file <file>', 'read the passphrase of that file from the first line of a file');

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A whole number from 1 up.');
}

async function configure(context: ProfileContext, order: HistoryOrder): Promise<void> {
  const { on, days, messages } = await ordered<HistorySettings>(context, { history: order });
  const bounds = [
    ...(days === undefined ? [] : [`of the last ${days} days`]),
    ...(messages === undefined ? [] : [`the newest ${messages} of each conversation`]),
  ];
  const kept = on ? `messages are kept${bounds.length > 0 ? `: ${bounds.join(', ')}` : ''}` : 'messages are not kept';
  await context.output.data({ event: 'history', on, days: days ?? null, messages: messages ?? null }, kept);
}

async function listConversations(context: ProfileContext): Promise<void> {
  const { output, surroundings } = context;
  type Listed = { own: AccountAddress; conversations: readonly KeptConversation[] };
  const { own, conversations } = await ordered<Listed>(context, { history: { do: 'list' } });
  for (const { conversation, unread, messages, last } of conversations) {
    const { line, ...message } = last;
    const time = timeOfDay(last.at, surroundings.runtime.now());
    const news = unread > 0 ? `, ${unread} unread` : '';
    const record = { event: 'conversation', conversation, unread, messages, last: message };
    await output.data(record, `${shortName(conversation, own)} (${messages}${news})  ${time} ${shortLine(line)}`);
  }
}

async function showMessages(context: ProfileContext, order: HistoryOrder & { do: 'show' | 'search' }): Promise<void> {
  const { output, surroundings } = context;
  const now = surroundings.runtime.now();
  const messages: KeptRecord[] = [];
  const { own, next } = await ordered<Told>(context, { history: order }, (report) => {
    if ('kept' in report) messages.push(report.kept);
  });
  for (const { line, ...message } of messages) {
    const { from, conversation, at, state } = message;
    const inOther = order.do === 'search' && order.to === undefined && from === own;
    const about = inOther ? ` (to ${shortName(conversation, own)})` : '';
    const sent = state === undefined ? '' : ` [${String(state)}]`;
    const text = `${timeOfDay(at, now)} ${shortName(from, own)}${about}: ${printable(line, 2)}${sent}`;
    await output.data({ event: 'kept', ...message }, text);
  }
  if (next === undefined) return;
  if (output.json) await output.data({ event: 'older', before: next }, '');
  else output.note(`there are older ones: --before ${next}`);
}

async function exportTo(context: ProfileContext, file: string, options: FileOptions): Promise<void> {
  const { surroundings, output } = context;
  const force = options.force === true;
  const path = placeFor(file, file, force);
  const passphrase = await readFilePassphrase(options.filePassphraseFile, file, true, surroundings, output);
  const { random } = surroundings.runtime;
  const pieces = piecesOf(context, { do: 'export', passphrase });
  await saveFile(path, pieces, { force, random, signal: surroundings.interrupted });
  await output.data({ event: 'history-exported', path }, `all messages that last are in ${path}`);
}

async function importFrom(context: ProfileContext, file: string, options: FileOptions): Promise<void> {
  const { surroundings, output } = context;
  const passphrase = await readFilePassphrase(options.filePassphraseFile, file, false, surroundings, output);
  const order = { do: 'import', file: resolve(file), passphrase } as const;
  const { added, passedOver } = await ordered<Imported>(context, { history: order });
  const known = passedOver > 0 ? `, ${passedOver} were there already` : '';
  await output.data({ event: 'history-imported', added, passedOver }, `${added} messages put in${known}`);
}

async function clearMessages(context: ProfileContext, { to, yes }: ClearOptions): Promise<void> {
  const { surroundings, output } = context;
  const what = to === undefined ? 'all messages' : `all messages with ${to}`;
  await confirm(`Take ${what} away from this machine, for good? [y/N] `, surroundings, {
    yes,
    otherwise: 'there is no terminal to ask whether you mean it: give --yes',
    refused: 'nothing was taken away',
  });
  await ordered(context, { history: { do: 'clear', to } });
  await output.data({ event: 'history-cleared', to: to ?? null }, `${what} are gone from this machine`);
}

/** The bytes of an export as they come; whoever writes them is waited for. */
async function* piecesOf(context: ProfileContext, order: HistoryOrder): AsyncGenerator<Uint8Array> {
  const pipe = new PassThrough({ highWaterMark: 1 });
  const work = ordered(context, { history: order }, async (report) => {
    if (!('bytes' in report)) return;
    if (pipe.destroyed) throw new CliError('failure', 'nobody writes the file any more');
    const hasRoom = pipe.write(Buffer.from(report.bytes, 'base64'));
    if (!hasRoom) await Promise.race([once(pipe, 'drain'), once(pipe, 'close')]);
  });
  const ended = work.then(
    () => void pipe.end(),
    (error: Error) => void pipe.destroy(error),
  );
  try {
    yield* pipe;
  } finally {
    pipe.destroy();
    // The keys are let go of before this is over.
    await ended;
  }
}

const shortLine = (line: string) => {
  const [first = ''] = line.split('\n');
  return [...first].length > 60 ? `${[...first].slice(0, 60).join('')}…` : first;
};
