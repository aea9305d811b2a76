/** What a device signs to log in: a prefix of its own, the server's origin, the device and the challenge, each ended by a zero byte. */
import type { DeviceId } from './ids.ts';

const PREFIX = 'sealwire/login/v1';

/** Origin-bound: a challenge relayed by another server yields a signature that this one refuses. None of the parts can hold a zero byte. */
export function loginMessage(origin: string, device: DeviceId, challenge: string): Uint8Array {
  return new TextEncoder().encode([PREFIX, origin, device, challenge, ''].join('\0'));
}
