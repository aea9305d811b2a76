/** `sealwire file`: what others sent as files. `listen` and `chat` tell of them; here they are listed and fetched. */
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Command } from 'commander';
import { type Context, type ProfileContext, profileFor, withClient } from '../context.ts';
import { CliError, endingOf } from '../exit-codes.ts';
import { type FetchOptions, fetchFile } from '../files/fetch-file.ts';
import { fileTitle } from '../files/file-title.ts';
import { fetchable, type ListedFile } from '../files/listed-file.ts';
import { type AccountOptions, accountCommand, group } from '../options.ts';
import { ordered } from '../ordered.ts';
import { answersTo } from '../profile-socket.ts';
import { shortName } from '../recipient.ts';

type GetOptions = AccountOptions & FetchOptions;

interface ListedFiles {
  readonly own: AccountAddress;
  readonly files: readonly ListedFile[];
}

export function fileCommand(context: () => Context): Command {
  const list = accountCommand('list', 'List the files that can be fetched', ['sealwire file list']);
  list.action((options: AccountOptions) => listFiles(profileFor(context(), options)));
  const get = accountCommand('get', 'Fetch a file', [
    'sealwire file get 3',
    'sealwire file get 3 -o ~/Pictures/photo.jpg',
    'sealwire file get 4 -o - | tar xz',
  ])
    .argument('<id>', 'its number, as `listen`, `chat` and `file list` show it')
    .option('-o, --output <path>', 'where to (default: the name that it came with, here); - is stdout')
    .option('--force', 'replace a file that is there')
    .action((id: string, options: GetOptions) => getFile(profileFor(context(), options), id, options));
  return group('file', 'Files that others sent', ['sealwire file list', 'sealwire file get 3'])
    .addCommand(list, { isDefault: true })
    .addCommand(get);
}

async function listFiles(context: ProfileContext): Promise<void> {
  const { own, files } = await ordered<ListedFiles>(context, { list: 'files' });
  for (const file of files) {
    const { id, from, conversation, expiresAt } = file;
    const about = from === own ? ` (to ${shortName(conversation, own)})` : '';
    const until = new Date(expiresAt).toISOString().slice(0, 10);
    const text = `${id}  ${shortName(from, own)}${about}: ${fileTitle(file)}, until ${until}`;
    await context.output.data({ event: 'file', ...file }, text);
  }
}

/** `id`: as `fetchable`. */
export async function getFile(context: ProfileContext, id: string, options: FetchOptions): Promise<void> {
  const { profile, surroundings, output } = context;
  const signal = surroundings.interrupted;
  if (options.output === '-' && output.json)
    throw new CliError('usage', 'with --json stdout has records: give -o PATH');
  if (options.output === '-' && surroundings.stdout.isTTY)
    throw new CliError('usage', 'a file of somebody else is not written to a terminal: give -o PATH, or | a program');
  await withKeysOrOrder(
    () =>
      withClient(context, async (client) => {
        const { descriptor, file } = fetchable(client, id);
        const open = (onProgress: (done: number, all: number) => void) =>
          client.files.download(descriptor, { signal, onProgress });
        await fetchFile(context, file, open, options);
        return true;
      }),
    async () => {
      const answers = await answersTo(profile, { get: id }, signal);
      if (!answers) return undefined;
      const first = await answers.next();
      if (first.done || !('file' in first.value)) throw new CliError('failure', 'the process that has the keys ended');
      try {
        await fetchFile(context, first.value.file, (onProgress) => bytesIn(answers, onProgress), options);
      } finally {
        await answers.return(undefined);
      }
      return true;
    },
  );
}

/** While `chat` or `listen` has the keys, it does what needs them. `order` answers undefined when nobody takes orders there. */
async function withKeysOrOrder<T>(work: () => Promise<T>, order: () => Promise<T | undefined>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (endingOf(error) !== 'locked') throw error;
    const done = await order();
    if (done === undefined) throw error;
    return done;
  }
}

async function* bytesIn(
  answers: NonNullable<Awaited<ReturnType<typeof answersTo>>>,
  onProgress: (done: number, all: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const answer of answers) {
    if ('progress' in answer) onProgress(...answer.progress);
    if ('bytes' in answer) yield Buffer.from(answer.bytes, 'base64');
  }
}
