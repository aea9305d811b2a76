/**
 * The SDK's runtime in a page or a worker: cryptography in JavaScript (that of files the
 * browser's own), the browser's randomness, clock and network.
 */
import { nobleCrypto } from '@sealwire/crypto/noble';
import { requireRandomness, systemRandom } from '@sealwire/crypto/random';
import { webFloePrimitives } from '@sealwire/crypto/web';
import type { ClientRuntime } from '../runtime.ts';
import { browser } from './platform.ts';
import { socketsOf } from './transport.ts';

/** Throws when the browser has no randomness to give: no key may be made then. */
export function browserRuntime(): ClientRuntime {
  requireRandomness(systemRandom);
  // Not where the page came by http from another machine.
  const { subtle } = globalThis.crypto as { readonly subtle?: Parameters<typeof webFloePrimitives>[0] };
  return {
    crypto: nobleCrypto(),
    ...(subtle && { floe: webFloePrimitives(subtle) }),
    random: systemRandom,
    now: Date.now,
    fetch,
    connectSocket: socketsOf(browser.WebSocket),
  };
}
