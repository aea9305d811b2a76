/** The file that a message is about, kept until it is fetched or over, and what is said of it. */
import type { Client } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import type { IncomingMessage } from '@sealwire/client/events';
import { fileIn } from '@sealwire/client/file-content';
import { fileTitle } from './file-title.ts';

export interface MessageFile {
  readonly text: string;
  /** Of the event's record: never what opens the file. */
  readonly record: Readonly<Record<string, unknown>>;
}

/** Where files are kept. */
export interface FileKeeper {
  readonly receivedFiles: Pick<Client['receivedFiles'], 'keep'>;
}

/** Undefined: the message is about something else. Durable when it resolves: the message may be forgotten. */
export async function messageFile(message: IncomingMessage, client: FileKeeper): Promise<MessageFile | undefined> {
  let descriptor: ReturnType<typeof fileIn>;
  try {
    descriptor = fileIn(message);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { text: `[${error.message}]`, record: { file: { error: error.message } } };
  }
  if (!descriptor) return undefined;
  const kept = await client.receivedFiles.keep(message, descriptor);
  const { name, type, size, expiresAt } = descriptor;
  const record = { file: { ...(kept && { id: kept.id }), name, type, size, expiresAt } };
  const way = kept ? `sealwire file get ${kept.id}` : 'the server does not have it any more';
  return { text: `file ${fileTitle(descriptor)} — ${way}`, record };
}
