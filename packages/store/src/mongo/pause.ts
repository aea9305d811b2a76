/** Waiting before something is tried again. */
import { systemRandom } from '@sealwire/crypto/random';

/** Somewhere between half of `ms` and all of it, so that many callers do not come back at once. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms * (0.5 + systemRandom(1)[0]! / 510)));
}
