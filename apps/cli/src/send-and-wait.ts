/** One message on its way: queued, then accepted or not within the user's patience, and reported. */
import type { Client } from '@sealwire/client/client';
import type { Acceptance, Content } from '@sealwire/client/events';
import type { FileDescriptor } from '@sealwire/wire/file-descriptor';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { acceptedRecord, keptOutText, leftOutText } from './accepted.ts';
import { CliError } from './exit-codes.ts';
import type { Output } from './output.ts';
import { settledWithin } from './waiting.ts';

export interface SendOutcome {
  readonly id: string;
  readonly from: AccountAddress;
  readonly to: AccountAddress;
  /** The patience was over: it waits in the outbox. */
  readonly queued: boolean;
  readonly leftOut: readonly DeviceId[];
  /** Devices that policy keeps out, and that were left out. */
  readonly keptOut: readonly DeviceId[];
  /** Why it waits, where the server said so. */
  readonly because?: string;
}

/** `file`: that the message names. */
export type Sent = SendOutcome & { readonly file?: FileDescriptor | undefined };

export interface SendWays {
  /** s, for the server to accept it. */
  readonly wait: number;
  /** Devices that policy keeps out do not get it, the others do; else it is refused. */
  readonly leaveOut: boolean;
}

/** Throws `ClientError` when the message can never be sent, `CliError` (`interrupted`). */
export async function sendAndWait(
  client: Client,
  to: AccountAddress,
  content: Content | string,
  { wait, leaveOut }: SendWays,
  interrupted: AbortSignal,
): Promise<SendOutcome> {
  const { id, accepted } = await client.send(to, content, { onKeptOut: leaveOut ? 'leave-out' : 'refuse' });
  let acceptance: Acceptance = { leftOut: [], keptOut: [] };
  const told = accepted.then((named) => {
    acceptance = named;
  });
  const ending = await settledWithin(told, wait, interrupted);
  const outcome = { id, from: client.address, to, ...acceptance };
  if (ending === 'done') return { ...outcome, queued: false };
  const because = client.outbox.refusalOf(id)?.message;
  return { ...outcome, queued: true, ...(because !== undefined && { because }) };
}

/** Throws `CliError` (`offline`) when something waits in the outbox, after all was told. */
export async function reportSent(output: Output, sent: readonly Sent[], name: string): Promise<void> {
  for (const { id, to, queued, leftOut, keptOut, file } of sent) {
    const what = file ? `${file.name} ` : '';
    const record = queued ? { event: 'queued', id, to } : acceptedRecord(id, to, { leftOut, keptOut });
    if (leftOut.length > 0) output.warn(leftOutText(leftOut));
    if (keptOut.length > 0) output.warn(keptOutText(keptOut));
    const text = `${what}${queued ? 'queued' : 'accepted'} for ${name}`;
    await output.data({ ...record, ...(file && { file: file.name }) }, text);
  }
  const waiting = sent.find(({ queued }) => queued);
  if (!waiting) return;
  const because = waiting.because ? ` (${waiting.because})` : '';
  throw new CliError(
    'offline',
    `the server did not accept it in time${because}: it stays in the outbox and goes out with the next send, listen or chat`,
  );
}
