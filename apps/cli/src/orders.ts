/**
 * What the process that has the keys does for another one of the same user (profile-socket.ts): it sends, uploads, lists, fetches, and undoes a linking.
 * Keys stay with it: of a file it hands out what is shown, and the bytes.
 */
import type { Client } from '@sealwire/client/client';
import { fileContent } from '@sealwire/client/file-content';
import { decodeFileDescriptor, encodeFileDescriptor } from '@sealwire/wire/file-descriptor';
import { z } from 'zod';
import { findFile, type ListedFile, listedFile } from './files/listed-file.ts';
import { fileToSend, uploadFor } from './files/send-file.ts';
import { parseRecipient } from './recipient.ts';
import { sendAndWait } from './send-and-wait.ts';

const Wait = z.number().min(0).max(86_400);

export const Order = z.union([
  z.strictObject({ to: z.string(), text: z.string().min(1), wait: Wait }),
  /** The answer to `upload`. */
  z.strictObject({ to: z.string(), descriptor: z.base64(), wait: Wait }),
  /** An absolute path. */
  z.strictObject({ upload: z.string(), to: z.array(z.string()).min(1) }),
  z.strictObject({ list: z.literal('files') }),
  z.strictObject({ get: z.string() }),
  z.strictObject({ undo: z.literal('linking') }),
]);
export type Order = z.output<typeof Order>;

/** What is said before the outcome. */
export type Report =
  | { readonly progress: readonly [done: number, all: number] }
  /** The first one of `get`. */
  | { readonly file: ListedFile }
  /** base64. */
  | { readonly bytes: string };

/** Throws `CliError`, `ClientError`. The outcome: a `SendOutcome`, a descriptor in base64, `ListedFiles`, `UndoneLinking`, or true. */
export async function carryOut(
  client: Client,
  order: Order,
  say: (report: Report) => Promise<void>,
  signal: AbortSignal,
): Promise<unknown> {
  if ('text' in order)
    return sendAndWait(client, parseRecipient(order.to, client.address), order.text, order.wait, signal);
  if ('descriptor' in order) {
    const content = fileContent(decodeFileDescriptor(Buffer.from(order.descriptor, 'base64')));
    return sendAndWait(client, parseRecipient(order.to, client.address), content, order.wait, signal);
  }
  if ('undo' in order) return client.undoLinking();
  const onProgress = progressTo(say);
  if ('upload' in order) {
    const recipients = order.to.map((to) => parseRecipient(to, client.address));
    const descriptor = await uploadFor(client, await fileToSend(order.upload), recipients, { signal, onProgress });
    return Buffer.from(encodeFileDescriptor(descriptor)).toString('base64');
  }
  if ('list' in order) return { own: client.address, files: client.receivedFiles.list().map(listedFile) };
  const file = findFile(client, order.get);
  await say({ file: listedFile(file) });
  for await (const piece of client.files.download(file.descriptor, { signal, onProgress }))
    await say({ bytes: Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('base64') });
  return true;
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
