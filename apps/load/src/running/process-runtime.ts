/** What this process gives its workers: network, randomness, and a clock that never steps. */

import { nodeRuntime } from '@sealwire/client/node/runtime';
import { connectSocketFrom } from '@sealwire/client/node/transport';
import type { ClientRuntime, ConnectSocket } from '@sealwire/client/runtime';

/** ms since 1970; never backwards, whatever is done to the machine's clock. */
export const steadyNow = (): number => performance.timeOrigin + performance.now();

/**
 * `sources`: addresses of this machine from which sockets come in turn; none: the system chooses, as it does for HTTP requests in any case.
 */
export function processRuntime(sources: readonly string[]): ClientRuntime {
  const connects = sources.length === 0 ? [connectSocketFrom()] : sources.map((source) => connectSocketFrom(source));
  let turn = 0;
  const connectSocket: ConnectSocket = (...terms) => connects[turn++ % connects.length]!(...terms);
  return { ...nodeRuntime(), connectSocket };
}
