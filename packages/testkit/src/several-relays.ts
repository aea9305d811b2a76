/** Several relay nodes behind one path, as behind nginx (docs/operations/scaling.md): each new socket goes to the next one. */
import type { SocketDoor } from '@sealwire/service/http-door';

/** Who connects after each other is on different nodes; whoever comes back may be on another one than before. */
export function inTurns(relays: readonly SocketDoor[]): SocketDoor {
  let sockets = 0;
  const all = async (work: (relay: SocketDoor) => Promise<void>) => void (await Promise.all(relays.map(work)));
  return {
    handle: (request, response) => relays[0]!.handle(request, response),
    upgrade: (...request) => relays[sockets++ % relays.length]!.upgrade(...request),
    ready: () => all((relay) => relay.ready()),
    drain: () => all((relay) => relay.drain()),
    close: () => all((relay) => relay.close()),
  };
}
