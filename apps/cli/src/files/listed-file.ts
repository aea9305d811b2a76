/** A file that somebody sent, as it is shown and told of: never with what opens it. */
import type { Client } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import type { ReceivedFile } from '@sealwire/client/received-files';
import type { AccountAddress } from '@sealwire/wire/ids';
import { CliError } from '../exit-codes.ts';
import { byteCount } from './byte-count.ts';

export interface ListedFile {
  readonly id: string;
  readonly from: AccountAddress;
  readonly conversation: AccountAddress;
  readonly name: string;
  readonly type: string;
  readonly size: number;
  /** ms */
  readonly acceptedAt: number;
  /** ms */
  readonly expiresAt: number;
}

export function listedFile({ id, from, conversation, acceptedAt, descriptor }: ReceivedFile): ListedFile {
  const { name, type, size, expiresAt } = descriptor;
  return { id, from, conversation, name, type, size, acceptedAt, expiresAt };
}

/** `photo.jpg (image/jpeg, 1.2 MiB)` */
export function fileTitle({ name, type, size }: Pick<ListedFile, 'name' | 'type' | 'size'>): string {
  return `${name} (${type}, ${byteCount(size)})`;
}

/** Throws `CliError` (`usage`) when there never was one, `ClientError` `file-expired` when there is none any more. */
export function findFile(client: Pick<Client, 'receivedFiles'>, id: string): ReceivedFile {
  try {
    return client.receivedFiles.find(id);
  } catch (error) {
    if (!(error instanceof ClientError && error.code === 'not-found')) throw error;
    throw new CliError('usage', `there is no file ${id}: \`sealwire file list\` shows those that there are`);
  }
}
