/**
 * What is asked of a history, by the process that has the keys or by another one of the same user (orders.ts). Messages are told one by one,
 * the bytes of an export too: an answer is never larger than a message.
 */
import { createReadStream } from 'node:fs';
import type { Client } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import { fileIn } from '@sealwire/client/file-content';
import type { HistoryMessage, HistoryPage } from '@sealwire/client/history';
import type { AccountAddress } from '@sealwire/wire/ids';
import { z } from 'zod';
import { CliError } from '../exit-codes.ts';
import { parseRecipient } from '../recipient.ts';

const Page = { limit: z.int().min(1).max(1_000), before: z.string().optional() };
const Count = z.int().min(1).optional();

export const HistoryOrder = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('settings') }),
  z.strictObject({ do: z.literal('set'), on: z.boolean(), days: Count, messages: Count }),
  z.strictObject({ do: z.literal('list') }),
  z.strictObject({ do: z.literal('show'), to: z.string(), ...Page }),
  z.strictObject({ do: z.literal('search'), text: z.string(), to: z.string().optional(), ...Page }),
  z.strictObject({ do: z.literal('export'), passphrase: z.string() }),
  /** An absolute path. */
  z.strictObject({ do: z.literal('import'), file: z.string(), passphrase: z.string() }),
  z.strictObject({ do: z.literal('clear'), to: z.string().optional() }),
]);
export type HistoryOrder = z.output<typeof HistoryOrder>;

/** A message as `--json` shows it: never with what opens a file. */
export interface KeptRecord extends Readonly<Record<string, unknown>> {
  readonly conversation: AccountAddress;
  readonly from: AccountAddress;
  /** ms */
  readonly at: number;
  /** For people. */
  readonly line: string;
}

/** What `list` answers of each conversation. */
export interface KeptConversation {
  readonly conversation: AccountAddress;
  readonly unread: number;
  readonly messages: number;
  readonly last: KeptRecord;
}

export interface Told {
  readonly own: AccountAddress;
  /** There are older ones. */
  readonly next?: string;
}

type Say = (report: { readonly kept: KeptRecord } | { readonly bytes: string }) => Promise<void>;

/** Throws `CliError`, `ClientError`. The outcome: settings, conversations, `Told`, what an import did, or true. */
export async function carryOutHistory(
  client: Client,
  order: HistoryOrder,
  say: Say,
  signal: AbortSignal,
): Promise<unknown> {
  const { history, address: own } = client;
  const addressOf = (to: string | undefined) => (to === undefined ? undefined : parseRecipient(to, own));
  switch (order.do) {
    case 'settings':
      return history.settings();
    case 'set': {
      const { on, days, messages } = order;
      await history.configure({ on, ...(days !== undefined && { days }), ...(messages !== undefined && { messages }) });
      return history.settings();
    }
    case 'list': {
      const all = await history.conversations();
      const conversations = all.map(({ last, ...rest }): KeptConversation => ({ ...rest, last: recordOf(last) }));
      return { own, conversations };
    }
    case 'show': {
      const page = await history.page(addressOf(order.to)!, pageOf(order));
      const told = await tell(page, own, say);
      // Who has seen the newest messages has read the conversation.
      const newest = page.messages.find(({ from }) => from !== own);
      if (order.before === undefined && newest) await client.receipts.displayed(newest);
      return told;
    }
    case 'search': {
      const conversation = addressOf(order.to);
      const where = conversation === undefined ? {} : { conversation };
      return tell(await history.search(order.text, { ...where, ...pageOf(order) }), own, say);
    }
    case 'export':
      for await (const piece of history.export(order.passphrase)) {
        if (signal.aborted) throw new CliError('interrupted', 'stopped: nothing of the file is kept');
        await say({ bytes: Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('base64') });
      }
      return true;
    case 'import':
      return history.import(fileAt(order.file, signal), order.passphrase);
    case 'clear':
      await history.clear(addressOf(order.to));
      return true;
  }
}

function pageOf({ limit, before }: { limit: number; before?: string | undefined }) {
  return { limit, ...(before !== undefined && { before }) };
}

/** The oldest first, as a conversation is read. */
async function tell({ messages, next }: HistoryPage, own: AccountAddress, say: Say): Promise<Told> {
  for (const message of [...messages].reverse()) await say({ kept: recordOf(message) });
  return { own, ...(next !== undefined && { next }) };
}

function recordOf(message: HistoryMessage): KeptRecord {
  const { body, text, reactions = [], ...about } = message;
  const file = fileOf(message);
  const size = `[${about.type}, ${body.length} bytes]`;
  const said = about.deleted ? '[deleted]' : (file?.line ?? text ?? size);
  const marks = [about.editedAt === undefined ? '' : ' (edited)', ...reactions.map(({ emoji }) => ` ${emoji}`)].join(
    '',
  );
  const content = file
    ? { file: file.record }
    : text === undefined
      ? { bytes: Buffer.from(body).toString('base64') }
      : { text };
  return { ...about, ...content, ...(reactions.length > 0 && { reactions }), line: said + marks };
}

function fileOf(message: HistoryMessage): { line: string; record: Record<string, unknown> } | undefined {
  try {
    const descriptor = fileIn(message);
    if (!descriptor) return undefined;
    const { name, type, size, expiresAt } = descriptor;
    return { line: `file ${name} (${type}, ${size} bytes)`, record: { name, type, size, expiresAt } };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { line: `[${error.message}]`, record: { error: error.message } };
  }
}

async function* fileAt(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of createReadStream(path, { signal })) yield piece as Uint8Array;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (signal.aborted) throw new CliError('interrupted', 'stopped: what was read so far is in the history');
    throw new CliError('usage', `${path} cannot be read (${code})`);
  }
}
