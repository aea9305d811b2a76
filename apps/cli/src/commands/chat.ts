/**
 * `sealwire chat`: conversations line by line. On a terminal with line editing, the lines of others above the one being typed, and a few
 * commands; in a pipe every line is a message. Ends at the end of input, when the outbox is empty or the patience is over.
 */
import type { Client } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import type { Acceptance, Content } from '@sealwire/client/events';
import { fileContent } from '@sealwire/client/file-content';
import { isGroupAddress } from '@sealwire/wire/group-address';
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Command } from 'commander';
import { acceptedRecord, leftOutText } from '../accepted.ts';
import { connectionNotes } from '../connection-notes.ts';
import { type Context, type ProfileContext, profileFor, withClientForOthers } from '../context.ts';
import { CliError } from '../exit-codes.ts';
import { fileTitle } from '../files/file-title.ts';
import { fileToSend, uploadFor } from '../files/send-file.ts';
import { conversationName, groupTarget, targetOf } from '../group-work.ts';
import { eachLine, textOf } from '../input.ts';
import { LineEditor } from '../line-editor.ts';
import { type AccountOptions, accountCommand } from '../options.ts';
import type { Output } from '../output.ts';
import { showPresence } from '../presence.ts';
import { type ComparisonWord, isComparisonWord, sayComparison, showComparisons } from '../show-comparisons.ts';
import { showEvent } from '../show-event.ts';
import { parseSeconds, settledWithin } from '../waiting.ts';

interface ChatOptions extends AccountOptions {
  readonly to?: string;
  readonly group?: string;
  readonly wait: number;
}

const HELP = [
  '/to NAME    write to somebody else from now on',
  '/group NAME write to a group from now on',
  '/file PATH  send a file',
  '/verify     compare four characters, or answer who asks for that; then /same or /different',
  '/quit       end, like Ctrl-D',
  '//text      a message that begins with /',
].join('\n');

export function chatCommand(context: () => Context): Command {
  return accountCommand('chat', 'Write and read, line by line', [
    'sealwire chat -t bob',
    'sealwire chat -g trio',
    'sealwire chat -u alice -t bob@example.org',
    'tail -f events.log | sealwire chat -u robot -t alice',
  ])
    .option('-t, --to <address>', 'bob, bob@example.org or sip:bob@example.org')
    .option('-g, --group <name>', 'a group instead, by its name or address')
    .option('--wait <seconds>', 'at the end of input: how long to wait until all is accepted', parseSeconds, 10)
    .action((options: ChatOptions) => chat(profileFor(context(), options), options));
}

async function chat(context: ProfileContext, options: ChatOptions): Promise<void> {
  const { surroundings } = context;
  const target = options.group === undefined ? options.to : groupTarget(options.group);
  if (target === undefined) throw new CliError('usage', 'whom to? give -t ADDRESS or -g GROUP');
  let output = context.output;
  const notes = connectionNotes((text) => output.note(text));
  const work = async (client: Client) => {
    const to = targetOf(client, target);
    const chat = new Chat(context, client, to);
    output = chat.output;
    client.onState(notes.state);
    showPresence(client, output, surroundings.stderr.isTTY === true);
    void client.connect();
    chat.greet();
    showComparisons(client, output);
    // Whichever side ends first ends the other: the end of input, Ctrl-C, or the server's last word (a removed device).
    const ended = new AbortController();
    const signal = AbortSignal.any([surroundings.interrupted, ended.signal]);
    const reading = chat.readIncoming(signal).finally(() => ended.abort());
    const writing = chat.writeLines(options.wait, signal).finally(() => ended.abort());
    const [read, wrote] = await Promise.allSettled([reading, writing]);
    if (read.status === 'rejected') throw read.reason;
    if (wrote.status === 'rejected') throw wrote.reason;
    const { waiting, failed, unsent } = wrote.value;
    if (unsent > 0) throw new CliError('failure', `${unsent} of your files were not sent: the upload had not ended`);
    if (failed > 0) throw new CliError('failure', `${failed} of your lines could not be sent`);
    if (waiting > 0)
      throw new CliError(
        'offline',
        `${waiting} of your lines stay in the outbox and go out with the next send, listen or chat`,
      );
  };
  await withClientForOthers(context, work, notes.trace);
}

class Chat {
  /** Writes above the line being typed, where there is one. */
  readonly output: Output;
  readonly #context: ProfileContext;
  readonly #client: Client;
  readonly #editor: LineEditor | undefined;
  /** What Tab completes: to turn to who wrote, or was written to. */
  readonly #turns = new Set<string>();
  readonly #pending = new Set<Promise<void>>();
  readonly #uploads = new Set<Promise<void>>();
  readonly #uploadsEnd = new AbortController();
  #to: AccountAddress;
  #failed = 0;

  constructor(context: ProfileContext, client: Client, to: AccountAddress) {
    const { surroundings, output } = context;
    const { stdin, stdout, stderr } = surroundings;
    this.#context = context;
    this.#client = client;
    this.#to = to;
    this.output = output;
    this.#met(to);
    if (stdin.isTTY && stderr.isTTY && !output.json) {
      this.#editor = new LineEditor(stdin, stderr, this.#prompt(), (line) => this.#complete(line));
      this.#editor.onKey((line) => this.#types(line));
      const { above } = this.#editor;
      this.output = output.through({ stdout: stdout.isTTY ? above : stdout, stderr: above });
    }
  }

  greet(): void {
    const help = this.#editor ? ', /help shows more' : '';
    this.output.note(`chatting with ${this.#nameOf(this.#to)}; end with Ctrl-D${help}`);
  }

  /** Messages of others are shown too, with their names: what was taken from the mailbox must not vanish. */
  async readIncoming(signal: AbortSignal): Promise<void> {
    const times = this.#editor ? { now: this.#context.surroundings.runtime.now } : {};
    for await (const event of this.#client.messages({ signal })) {
      if (event.kind === 'message') this.#met(event.conversation);
      await showEvent(this.output, event, this.#client, times);
      if (event.kind === 'message') await this.#client.receipts.displayed(event);
    }
  }

  /** Told where both sides have switched it on. A command is for nobody. */
  #types(line: string): void {
    this.#client.typing.say(this.#to, line !== '' && !/^\/(?!\/)/.test(line));
  }

  /** How many lines the server has not accepted in the end, how many it never will, and how many files are not there. */
  async writeLines(
    waitSeconds: number,
    signal: AbortSignal,
  ): Promise<{ waiting: number; failed: number; unsent: number }> {
    const { stdin } = this.#context.surroundings;
    const quit = new AbortController();
    const ended = AbortSignal.any([signal, quit.signal]);
    if (this.#editor) await this.#editor.eachLine(ended, (line) => this.#obey(line, quit));
    else await eachLine(stdin, signal, (line) => this.#attempt(() => textOf(line, 'a line').replace(/\r$/, '')));
    stdin.destroy();
    const settled = Promise.all(this.#uploads).then(() => Promise.all(this.#pending));
    if (!signal.aborted) await settledWithin(settled, waitSeconds, signal);
    this.#uploadsEnd.abort();
    return { waiting: this.#pending.size, failed: this.#failed, unsent: this.#uploads.size };
  }

  /** A line of a terminal: a command or a message. */
  async #obey(line: string, quit: AbortController): Promise<void> {
    const [, command, argument] = /^\/(?!\/)(\S*)\s*(.*?)\s*$/.exec(line) ?? [];
    if (command === undefined) return this.#attempt(() => line.replace(/^\/\//, '/'));
    if (command === 'quit') quit.abort();
    else if (command === 'to' && argument) await this.#turnTo(argument);
    else if (command === 'group' && argument) await this.#turnTo(groupTarget(argument));
    else if (command === 'file' && argument) this.#sendFile(argument);
    else if (isComparisonWord(command)) await this.#compare(command);
    else if (['help', 'to', 'group', 'file'].includes(command)) this.output.note(HELP);
    else this.output.note(`there is no command /${command}\n${HELP}`);
  }

  async #turnTo(name: string): Promise<void> {
    try {
      const to = targetOf(this.#client, name);
      if (!isGroupAddress(to))
        await this.#client.trust.peer(to).catch((error: unknown) => {
          // Without the server nobody knows who is there; the message waits then, like any other.
          if (!(error instanceof ClientError && error.retryable)) throw error;
        });
      this.#to = to;
      this.#met(to);
      this.#editor?.setPrompt(this.#prompt());
    } catch (error) {
      this.output.error(error);
    }
  }

  /** What becomes of it is shown as it comes. */
  async #compare(word: ComparisonWord): Promise<void> {
    try {
      await sayComparison(this.#client, this.#to, word);
    } catch (error) {
      this.output.error(error);
    }
  }

  /** Beside the conversation: lines go on meanwhile. */
  #sendFile(path: string): void {
    const to = this.#to;
    const home = /^~(?=[/\\])/;
    const sending: Promise<void> = this.#attempt(async () => {
      const file = await fileToSend(path.replace(home, this.#context.surroundings.home));
      this.output.note(`sending ${fileTitle(file)} to ${this.#nameOf(to)}`);
      const ways = { signal: this.#uploadsEnd.signal, onProgress: () => {} };
      const content = fileContent(await uploadFor(this.#client, file, [to], ways));
      this.output.note(`${file.name} is on the server`);
      return content;
    }).finally(() => this.#uploads.delete(sending));
    this.#uploads.add(sending);
  }

  /** One line that cannot be sent does not end the conversation. */
  async #attempt(said: () => string | Promise<Content>): Promise<void> {
    const to = this.#to;
    try {
      const content = await said();
      if (typeof content === 'string' && content.trim() === '') return;
      const { id, accepted } = await this.#client.send(to, content);
      const settled: Promise<void> = accepted
        .then(
          (acceptance) => this.#reportAccepted(id, to, acceptance),
          (error: unknown) => this.#reportUnsent(error),
        )
        .finally(() => this.#pending.delete(settled));
      this.#pending.add(settled);
    } catch (error) {
      // A file that is not there in the end is counted as such.
      if (this.#uploadsEnd.signal.aborted) return;
      this.#failed++;
      this.output.error(error);
    }
  }

  async #reportAccepted(id: string, to: AccountAddress, acceptance: Acceptance): Promise<void> {
    if (acceptance.leftOut.length > 0) this.output.warn(leftOutText(acceptance.leftOut));
    if (this.output.json) await this.output.data(acceptedRecord(id, to, acceptance), '');
  }

  /** A line that is still in the outbox when we close is counted, not reported one by one. */
  #reportUnsent(error: unknown): void {
    if (error instanceof ClientError && error.code === 'closed') return;
    this.#failed++;
    this.output.error(error);
  }

  #met(conversation: AccountAddress): void {
    const command = isGroupAddress(conversation) ? '/group' : '/to';
    this.#turns.add(`${command} ${this.#nameOf(conversation)}`);
  }

  #prompt(): string {
    return `you → ${this.#nameOf(this.#to)}: `;
  }

  #nameOf(address: AccountAddress): string {
    return conversationName(this.#client, address);
  }

  #complete(line: string): [string[], string] {
    const candidates = [...this.#turns, '/file ', '/help', '/quit'];
    return [line.startsWith('/') ? candidates.filter((candidate) => candidate.startsWith(line)) : [], line];
  }
}
