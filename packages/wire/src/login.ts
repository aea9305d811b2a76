/** What a device signs to log in: a prefix of its own, the server's origin, the device and the challenge, each ended by a zero byte. */
import type { DeviceId } from './ids.ts';
import { WireError } from './wire-error.ts';

const PREFIX = 'sealwire/login/v1';

/**
 * Origin-bound: a challenge relayed by another server yields a signature that this one refuses. Throws `bad-challenge` when a part
 * holds a zero byte, which would move the edge to the next.
 */
export function loginMessage(origin: string, device: DeviceId, challenge: string): Uint8Array {
  const parts = [PREFIX, origin, device, challenge];
  if (parts.some((part) => part.includes('\0')))
    throw new WireError('bad-challenge', 'a zero byte in what is to be signed');
  return new TextEncoder().encode([...parts, ''].join('\0'));
}
