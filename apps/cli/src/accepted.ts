/** How a message that the server has taken is told of, with the devices that do not get it. */
import type { Acceptance } from '@sealwire/client/events';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';

/** What a person is told of devices without room. */
export function leftOutText(devices: readonly DeviceId[], queued = false): string {
  const names = devices.join(', ');
  return queued
    ? `no room in the mailbox of ${names}, or nothing of strangers is taken there: the message waits in the outbox`
    : `no room in the mailbox of ${names}, or nothing of strangers is taken there: the message does not get there`;
}

/** What a person is told of devices that policy keeps out. */
export function keptOutText(devices: readonly DeviceId[]): string {
  return `kept out, and does not get the message: ${devices.join(', ')} (sealwire trust)`;
}

/** `leftOut` and `keptOut` are there when somebody is. */
export function acceptedRecord(
  id: string,
  to: AccountAddress,
  { leftOut, keptOut }: Acceptance,
): Record<string, unknown> {
  return {
    event: 'accepted',
    id,
    to,
    ...(leftOut.length > 0 && { leftOut }),
    ...(keptOut.length > 0 && { keptOut }),
  };
}
