/** One message on its way: queued, and then accepted or not within the user's patience. */
import type { Client } from '@sealwire/client/client';
import type { Content } from '@sealwire/client/events';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { settledWithin } from './waiting.ts';

export interface SendOutcome {
  readonly id: string;
  readonly from: AccountAddress;
  readonly to: AccountAddress;
  /** The patience was over: it waits in the outbox. */
  readonly queued: boolean;
  readonly leftOut: readonly DeviceId[];
  /** Why it waits, where the server said so. */
  readonly because?: string;
}

/** Throws `ClientError` when the message can never be sent, `CliError` (`interrupted`). */
export async function sendAndWait(
  client: Client,
  to: AccountAddress,
  content: Content | string,
  waitSeconds: number,
  interrupted: AbortSignal,
): Promise<SendOutcome> {
  const { id, accepted } = await client.send(to, content);
  let leftOut: readonly DeviceId[] = [];
  const told = accepted.then((acceptance) => {
    leftOut = acceptance.leftOut;
  });
  const ending = await settledWithin(told, waitSeconds, interrupted);
  const outcome = { id, from: client.address, to, leftOut };
  if (ending === 'done') return { ...outcome, queued: false };
  const because = client.outbox.refusalOf(id)?.message;
  return { ...outcome, queued: true, ...(because !== undefined && { because }) };
}
