/**
 * `sealwire send`: a text, a file or both. Ends when the server holds it durably, or when the patience is over and it waits in the outbox;
 * a file that is not on the server is in no outbox.
 */
import { resolve } from 'node:path';
import type { Content } from '@sealwire/client/events';
import { fileContent } from '@sealwire/client/file-content';
import { decodeFileDescriptor, type FileDescriptor } from '@sealwire/wire/file-descriptor';
import type { Command } from 'commander';
import { type Context, type ProfileContext, profileFor, withClient } from '../context.ts';
import { CliError, endingOf } from '../exit-codes.ts';
import { Progress } from '../files/progress.ts';
import { type FileToSend, fileToSend, uploadFor } from '../files/send-file.ts';
import { conversationName, groupTarget, nameOfTarget, targetOf } from '../group-work.ts';
import { readAll } from '../input.ts';
import { type AccountOptions, accountCommand, collect } from '../options.ts';
import { answersTo, outcomeOf } from '../profile-socket.ts';
import { shortName } from '../recipient.ts';
import { reportSent, type SendOutcome, type Sent, sendAndWait } from '../send-and-wait.ts';
import { parseSeconds } from '../waiting.ts';

interface SendOptions extends AccountOptions {
  readonly to: readonly string[];
  readonly group: readonly string[];
  readonly message?: string;
  readonly file?: string;
  readonly leaveOut?: boolean;
  readonly wait: number;
}

/** What each recipient gets, in this order. */
interface Messages {
  readonly file: FileToSend | undefined;
  readonly text: string | undefined;
}

export function sendCommand(context: () => Context): Command {
  return accountCommand('send', 'Send one message, or a file', [
    'sealwire send -t bob -m "see you at eight"',
    'sealwire send -g trio -m hello',
    'sealwire send -t bob --file photo.jpg -m "the one of yesterday"',
    'git log -1 | sealwire send -u robot -t alice@example.org -t bob',
    'sealwire send -t bob -m hello --wait 60 || echo "it goes out with the next send, listen or chat"',
  ])
    .option('-t, --to <address>', 'bob, bob@example.org or sip:bob@example.org; may be repeated', collect, [])
    .option('-g, --group <name>', 'a group, by its name or address; may be repeated', collect, [])
    .option('-m, --message <text>', 'the text; - or absent (and no --file): all of stdin')
    .option('--file <path>', 'send this file; a text follows it')
    .option(
      '--leave-out',
      'devices that are unsafe, or not trusted where only trusted ones are sent to, do not get it; the others do',
    )
    .option('--wait <seconds>', 'how long to wait for the server to accept it', parseSeconds, 10)
    .action((options: SendOptions) => send(profileFor(context(), options), options));
}

async function send(context: ProfileContext, options: SendOptions): Promise<void> {
  if (targetsIn(options).length === 0) throw new CliError('usage', 'whom to? give -t ADDRESS or -g GROUP');
  const file = options.file === undefined ? undefined : await fileToSend(options.file);
  const onlyFile = file !== undefined && options.message === undefined;
  const messages: Messages = { file, text: onlyFile ? undefined : await textToSend(options.message, context) };
  try {
    await sendHere(context, messages, options);
  } catch (error) {
    // `chat` or `listen` has the keys: it sends for us.
    if (endingOf(error) !== 'locked') throw error;
    await sendThere(context, messages, options, error);
  }
}

function sendHere(context: ProfileContext, { file, text }: Messages, options: SendOptions): Promise<void> {
  const { interrupted } = context.surroundings;
  const { wait, leaveOut = false } = options;
  return withClient(context, async (client) => {
    const recipients = [...new Set(targetsIn(options).map((each) => targetOf(client, each)))];
    void client.connect();
    const descriptor =
      file &&
      (await uploaded(context, file, (onProgress) =>
        uploadFor(client, file, recipients, { signal: interrupted, onProgress }),
      ));
    await toEach(recipients, context, async (recipient) => {
      const sent: Sent[] = [];
      const sendTo = (content: Content | string) =>
        sendAndWait(client, recipient, content, { wait, leaveOut }, interrupted);
      if (descriptor) sent.push({ ...(await sendTo(fileContent(descriptor))), file: descriptor });
      if (text !== undefined) sent.push(await sendTo(text));
      await reportSent(context.output, sent, conversationName(client, recipient));
    });
  });
}

/** By the process that has the keys. Throws `locked` when nobody takes orders there. */
async function sendThere(
  context: ProfileContext,
  { file, text }: Messages,
  options: SendOptions,
  locked: unknown,
): Promise<void> {
  const { profile, surroundings, output } = context;
  const ordered = async <Outcome>(order: Parameters<typeof answersTo>[1], onProgress?: Progress['report']) => {
    const answers = await answersTo(profile, order, surroundings.interrupted);
    if (!answers) throw locked;
    return outcomeOf<Outcome>(answers, onProgress);
  };
  const { wait, leaveOut = false } = options;
  const recipients = [...new Set(targetsIn(options))];
  let descriptor: string | undefined;
  const shown =
    file &&
    (await uploaded(context, file, async (onProgress) => {
      descriptor = await ordered<string>({ upload: resolve(file.path), to: recipients }, onProgress);
      return decodeFileDescriptor(Buffer.from(descriptor, 'base64'));
    }));
  await toEach(recipients, context, async (to) => {
    const sent: Sent[] = [];
    if (descriptor !== undefined)
      sent.push({ ...(await ordered<SendOutcome>({ to, descriptor, wait, leaveOut })), file: shown });
    if (text !== undefined) sent.push(await ordered<SendOutcome>({ to, text, wait, leaveOut }));
    await reportSent(output, sent, nameOfTarget(to) ?? shortName(sent[0]!.to, sent[0]!.from));
  });
}

async function uploaded(
  { output, surroundings }: ProfileContext,
  { name }: FileToSend,
  upload: (onProgress: Progress['report']) => Promise<FileDescriptor>,
): Promise<FileDescriptor> {
  const { stderr, runtime } = surroundings;
  const progress = new Progress({ output, stderr, now: runtime.now, kind: 'upload', name });
  let descriptor: FileDescriptor;
  try {
    descriptor = await upload(progress.report);
  } finally {
    progress.end();
  }
  const { type, size, expiresAt } = descriptor;
  if (output.json) await output.data({ event: 'uploaded', name: descriptor.name, type, size, expiresAt }, '');
  return descriptor;
}

function targetsIn({ to, group }: SendOptions): string[] {
  return [...to, ...group.map(groupTarget)];
}

/** Each recipient gets the message, whatever becomes of the others. Throws the last failure; those before it are told. */
async function toEach<Recipient>(
  recipients: readonly Recipient[],
  { output }: ProfileContext,
  sendTo: (recipient: Recipient) => Promise<void>,
): Promise<void> {
  const outcomes = await Promise.allSettled(recipients.map(sendTo));
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  for (const failure of failures.slice(0, -1)) output.error(failure);
  if (failures.length > 0) throw failures.at(-1);
}

/** Of `-m`, or all of stdin. Throws `CliError`. */
export async function textToSend(message: string | undefined, { surroundings }: Context): Promise<string> {
  const given = message !== undefined && message !== '-';
  const text = given ? message : (await readAll(surroundings.stdin, surroundings.interrupted)).replace(/\r?\n$/, '');
  if (text === '') throw new CliError('usage', 'there is nothing to send: give -m TEXT, or the text on stdin');
  return text;
}
