/** The SDK's runtime on Node: its own cryptography, the system's randomness, clock and network. */
import { nodeCrypto } from '@sealwire/crypto/node';
import { requireRandomness, systemRandom } from '@sealwire/crypto/random';
import type { ClientRuntime } from '../runtime.ts';
import { connectSocket } from './transport.ts';

/** Throws when the system has no randomness to give: no key may be made then. */
export function nodeRuntime(): ClientRuntime {
  requireRandomness(systemRandom);
  return { crypto: nodeCrypto(), random: systemRandom, now: Date.now, fetch, connectSocket };
}
