/** A file that somebody sent, as it is shown and told of: never with what opens it. */
import type { Client } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import type { ReceivedFile } from '@sealwire/client/received-files';
import type { FileDescriptor } from '@sealwire/wire/file-descriptor';
import type { AccountAddress } from '@sealwire/wire/ids';
import { CliError } from '../exit-codes.ts';
import { nameOfTarget } from '../group-work.ts';

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

/** What fetching shows of a file. */
export type FetchableFile = Pick<ListedFile, 'id' | 'name' | 'type' | 'size'>;

/** `id`: of a file that was received, or a `groupTarget`, whose picture is meant. Throws as `findFile`; `CliError` for a group without. */
export function fetchable(client: Client, id: string): { file: FetchableFile; descriptor: FileDescriptor } {
  const group = nameOfTarget(id);
  if (group === undefined) {
    const found = findFile(client, id);
    return { file: listedFile(found), descriptor: found.descriptor };
  }
  const { picture, subject } = client.groups.info(group);
  if (!picture) throw new CliError('usage', `${subject} has no picture`);
  const { name, type, size } = picture;
  return { file: { id, name, type, size }, descriptor: picture };
}

/** Throws `CliError` (`usage`) when there never was one, `ClientError` `file-expired` when there is none any more. */
function findFile(client: Pick<Client, 'receivedFiles'>, id: string): ReceivedFile {
  try {
    return client.receivedFiles.find(id);
  } catch (error) {
    if (!(error instanceof ClientError && error.code === 'not-found')) throw error;
    throw new CliError('usage', `there is no file ${id}: \`sealwire file list\` shows those that there are`);
  }
}
