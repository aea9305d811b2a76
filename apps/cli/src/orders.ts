/**
 * What the process that has the keys does for another one of the same user (profile-socket.ts): it sends, uploads, lists, fetches, works on groups,
 * shows itself to others, and undoes a linking.
 * Keys stay with it: of a file it hands out what is shown, and the bytes.
 */
import type { Client } from '@sealwire/client/client';
import type { Content } from '@sealwire/client/events';
import { fileContent } from '@sealwire/client/file-content';
import { decodeFileDescriptor, encodeFileDescriptor } from '@sealwire/wire/file-descriptor';
import { isGroupAddress } from '@sealwire/wire/group-address';
import type { AccountAddress } from '@sealwire/wire/ids';
import { z } from 'zod';
import { COMPARISON_STEPS, takeStep } from './comparison.ts';
import { ContactOrder, carryOutContacts } from './contact-orders.ts';
import { type FetchableFile, fetchable, listedFile } from './files/listed-file.ts';
import { fileToSend, uploadFor } from './files/send-file.ts';
import { GroupOrder, targetOf, workOnGroups } from './group-work.ts';
import { carryOutHistory, HistoryOrder, type KeptRecord } from './history/history-orders.ts';
import { About, contentAbout } from './message-about.ts';
import { changePresence, PresenceOrder } from './presence.ts';
import { parseRecipient } from './recipient.ts';
import { sendAndWait } from './send-and-wait.ts';

const Wait = z.number().min(0).max(86_400);
/** Devices that policy keeps out: the others get it. */
const LeaveOut = z.boolean();

export const Order = z.union([
  z.strictObject({ to: z.string(), text: z.string().min(1), wait: Wait, leaveOut: LeaveOut }),
  /** The answer to `upload`. */
  z.strictObject({ to: z.string(), descriptor: z.base64(), wait: Wait, leaveOut: LeaveOut }),
  /** The text may be empty. */
  z.strictObject({ about: About, to: z.string(), text: z.string(), wait: Wait, leaveOut: LeaveOut }),
  /** An absolute path. */
  z.strictObject({ upload: z.string(), to: z.array(z.string()).min(1) }),
  z.strictObject({ list: z.literal('files') }),
  z.strictObject({ get: z.string() }),
  GroupOrder,
  z.strictObject({ presence: PresenceOrder }),
  z.strictObject({ contacts: ContactOrder }),
  z.strictObject({ history: HistoryOrder }),
  z.strictObject({ verify: z.enum(COMPARISON_STEPS), to: z.string() }),
  z.strictObject({ undo: z.literal('linking') }),
]);
export type Order = z.output<typeof Order>;

/** What is said before the outcome. */
export type Report =
  | { readonly progress: readonly [done: number, all: number] }
  /** The first one of `get`. */
  | { readonly file: FetchableFile }
  /** Of a history. */
  | { readonly kept: KeptRecord }
  /** base64. */
  | { readonly bytes: string };

/**
 * Throws `CliError`, `ClientError`. The outcome: a `SendOutcome`, a descriptor in base64, `ListedFiles`, a `GroupOutcome`, a `PresenceReport`, a
 * `ContactOutcome`, a `VerificationState`, `UndoneLinking`, or true.
 */
export async function carryOut(
  client: Client,
  order: Order,
  say: (report: Report) => Promise<void>,
  signal: AbortSignal,
): Promise<unknown> {
  if ('group' in order) return workOnGroups(client, order, signal);
  if ('leaveOut' in order) {
    void client.connect();
    const to = targetOf(client, order.to);
    return sendAndWait(client, to, contentIn(client, order, to), order, signal);
  }
  if ('contacts' in order) return carryOutContacts(client, order.contacts);
  if ('history' in order) return carryOutHistory(client, order.history, say, signal);
  if ('verify' in order) {
    const to = parseRecipient(order.to, client.address);
    return { ...(await takeStep(client, order.verify, to, signal)), own: client.address };
  }
  if ('undo' in order) return client.devices.undoLinking();
  const onProgress = progressTo(say);
  if ('upload' in order) {
    const recipients = order.to.map((to) => targetOf(client, to));
    const descriptor = await uploadFor(client, await fileToSend(order.upload), recipients, { signal, onProgress });
    return Buffer.from(encodeFileDescriptor(descriptor)).toString('base64');
  }
  if ('presence' in order) return changePresence(client, order.presence);
  if ('list' in order) return { own: client.address, files: client.receivedFiles.list().map(listedFile) };
  const { file, descriptor } = fetchable(client, order.get);
  await say({ file });
  for await (const piece of client.files.download(descriptor, { signal, onProgress }))
    await say({ bytes: Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('base64') });
  return true;
}

/** What a message says. Throws `CliError`. */
function contentIn(client: Client, order: Extract<Order, { leaveOut: boolean }>, to: AccountAddress): Content | string {
  if ('about' in order) return contentAbout(order.about, order.text, to, client.address, isGroupAddress(to));
  if ('text' in order) return order.text;
  return fileContent(decodeFileDescriptor(Buffer.from(order.descriptor, 'base64')));
}

/** Nobody waits for who hears of it: what comes before the last was heard is left out. */
function progressTo(say: (report: Report) => Promise<void>): (done: number, all: number) => void {
  let saying = false;
  return (done, all) => {
    if (saying) return;
    saying = true;
    const said = () => {
      saying = false;
    };
    void say({ progress: [done, all] }).then(said, said);
  };
}
