/** A file of the disk, sent to the server once for all whom it is for. */
import { stat } from 'node:fs/promises';
import type { Client } from '@sealwire/client/client';
import type { OnProgress } from '@sealwire/client/client-files';
import { openDiskFile } from '@sealwire/client/node/disk-file';
import type { FileDescriptor } from '@sealwire/wire/file-descriptor';
import { fileNameFrom } from '@sealwire/wire/file-name';
import { isGroupAddress } from '@sealwire/wire/group-address';
import type { AccountAddress } from '@sealwire/wire/ids';
import { CliError } from '../exit-codes.ts';
import { mediaTypeOf } from './media-type.ts';

export interface FileToSend {
  readonly path: string;
  /** Its last component, fit for any system. */
  readonly name: string;
  readonly type: string;
  readonly size: number;
}

export interface UploadWays {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** Throws `CliError` (`usage`) for what is no file, or cannot be looked at. */
export async function fileToSend(path: string): Promise<FileToSend> {
  // Before it is opened: a pipe would be waited for.
  const status = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (status.isDirectory()) throw new CliError('usage', `${path} is a folder: make an archive of it, and send that`);
  if (!status.isFile())
    throw new CliError('usage', `${path} is no file: write what comes from it into one, and send that`);
  const name = fileNameFrom(path);
  return { path, name, type: mediaTypeOf(name), size: status.size };
}

/** Whoever is not there is heard of before, not after the upload. Throws `CliError`, `ClientError`. */
export async function uploadFor(
  client: Client,
  { path, name, type }: FileToSend,
  recipients: readonly AccountAddress[],
  ways: UploadWays,
): Promise<FileDescriptor> {
  // A group is known here, or nobody could write to it.
  const accounts = recipients.filter((to) => !isGroupAddress(to));
  const found = await Promise.allSettled(accounts.map((to) => client.trust.peer(to)));
  const [first] = found;
  if (
    accounts.length === recipients.length &&
    first?.status === 'rejected' &&
    found.every(({ status }) => status === 'rejected')
  )
    throw first.reason;
  const source = await openDiskFile(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    return await client.files.upload(source, { name, type, to: recipients[0]!, ...ways });
  } finally {
    await source.close();
  }
}

function unreadable(path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new CliError('usage', `there is no file ${path}`);
  return code === undefined ? error : new CliError('usage', `${path} cannot be read (${code}): check the permissions`);
}
