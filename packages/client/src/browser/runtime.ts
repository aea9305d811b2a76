/**
 * The SDK's runtime in a page or a worker: cryptography in JavaScript, the browser's randomness,
 * clock and network.
 */
import { nobleCrypto } from '@sealwire/crypto/noble';
import { requireRandomness, systemRandom } from '@sealwire/crypto/random';
import type { ClientRuntime } from '../runtime.ts';
import { browser } from './platform.ts';
import { socketsOf } from './transport.ts';

/** Throws when the browser has no randomness to give: no key may be made then. */
export function browserRuntime(): ClientRuntime {
  requireRandomness(systemRandom);
  return {
    crypto: nobleCrypto(),
    random: systemRandom,
    now: Date.now,
    fetch,
    connectSocket: socketsOf(browser.WebSocket),
  };
}
