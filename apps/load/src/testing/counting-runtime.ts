/** A runtime that tells when a run is really under way, so that a test needs to wait for no clock. */
import type { ClientRuntime, ConnectSocket } from '@sealwire/client/runtime';
import { processRuntime } from '../running/process-runtime.ts';

/** Calls `then` with the `count`th frame that is sent over its sockets. The first of each socket is its hello. */
export function afterFrames(count: number, then: () => void): ClientRuntime {
  const runtime = processRuntime([]);
  let sent = 0;
  const connectSocket: ConnectSocket = (...terms) => {
    const socket = runtime.connectSocket(...terms);
    return {
      ...socket,
      send(bytes) {
        socket.send(bytes);
        if (++sent === count) then();
      },
    };
  };
  return { ...runtime, connectSocket };
}
