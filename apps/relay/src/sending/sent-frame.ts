/** What a frame of a sender says of itself: whom it is for, what is wrong with it, what it costs. */
import type { ErrorCode } from '@sealwire/wire/errors';
import type { Part, Send } from '@sealwire/wire/frames';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { Mismatch } from './device-mismatch.ts';

export function devicesIn({ parts }: Send, accounts: ReadonlySet<AccountAddress>): readonly DeviceId[] {
  return parts.map(({ device }) => device).filter((device) => accounts.has(accountOf(device)));
}

/** Whether the message is for none but these and the sender’s own devices. */
export function isAllToOthers(sender: DeviceId, { parts }: Send, accounts: ReadonlySet<AccountAddress>): boolean {
  const own = accountOf(sender);
  return parts.every(({ device }) => {
    const account = accountOf(device);
    return account === own || accounts.has(account);
  });
}

/** Who names all devices must name the right ones; who does not, none that is not there. */
export function faultWith({ allDevices }: Send, mismatch: Mismatch | 'none' | 'unknown'): boolean {
  return mismatch === 'unknown' || (mismatch !== 'none' && (allDevices || mismatch.extra.length > 0));
}

export function faultOf(
  { body, parts }: { body: Uint8Array; parts: readonly Part[] },
  payloadBytes: number,
): ErrorCode | undefined {
  for (const { content } of parts) if (body.length + content.length > payloadBytes) return 'payload-too-large';
  return undefined;
}

/** What a recipient costs a write beside the bytes: a message of nothing for a thousand of them is not one of no bytes. */
const RECIPIENT_BYTES = 256;

export function storedBytes({ body, parts }: Send): number {
  let bytes = (RECIPIENT_BYTES + body.length) * parts.length;
  for (const { content } of parts) bytes += content.length;
  return bytes;
}
