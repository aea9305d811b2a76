/**
 * A relay that means harm, as its clients see it: a real one, with a liar between it and them who loses, doubles, swaps or redirects what
 * is delivered, and numbers mailboxes so that nobody sees it there.
 */
import type { ClientRuntime, ConnectSocket } from '@sealwire/client/runtime';
import { decodeClientFrame, decodeServerFrame, encodeClientFrame, encodeServerFrame } from '@sealwire/wire/frame-codec';
import type { Deliver, ServerFrame } from '@sealwire/wire/frames';

/** What becomes of one delivered message: to be handed on in this order. `hand` hands it to another socket. */
export type Lie = (deliver: Deliver, turn: number) => readonly Deliver[];

export interface Liar {
  /** Of each delivered message; `turn` counts them, from 1. */
  readonly deliver?: Lie;
  /** Of any other frame; undefined: it is lost. */
  readonly other?: (frame: ServerFrame) => ServerFrame | undefined;
  /** Every message is also given to the socket that was opened after its recipient's. */
  readonly redirects?: boolean;
}

export function lyingRuntime(runtime: ClientRuntime, liar: Liar): ClientRuntime {
  const sockets: ((deliver: Deliver) => void)[] = [];
  let turn = 0;
  const connectSocket: ConnectSocket = (url, subprotocol, handlers) => {
    let realSeq = 0;
    let seq = 0;
    const index = sockets.length;
    const give = (deliver: Deliver) => {
      seq += 1;
      handlers.received(encodeServerFrame({ ...deliver, seq }));
    };
    sockets.push(give);
    const socket = runtime.connectSocket(url, subprotocol, {
      opened: () => handlers.opened(),
      closed: (close) => handlers.closed(close),
      received(bytes) {
        const frame = decodeServerFrame(bytes.slice());
        if (frame.kind === 'deliver') {
          realSeq = frame.seq;
          turn += 1;
          for (const deliver of liar.deliver ? liar.deliver(frame, turn) : [frame]) give(deliver);
          if (liar.redirects) sockets[(index + 1) % sockets.length]?.(frame);
          return;
        }
        const other = liar.other ? liar.other(frame) : frame;
        if (other) handlers.received(encodeServerFrame(other));
      },
    });
    return {
      ...socket,
      send(bytes) {
        const frame = decodeClientFrame(bytes.slice());
        socket.send(frame.kind === 'ack' ? encodeClientFrame({ kind: 'ack', upTo: realSeq }) : bytes);
      },
    };
  };
  return { ...runtime, connectSocket };
}
