/** The relay's side of a link, in the hands of a test. */
import { decodeClientFrame, encodeServerFrame } from '@sealwire/wire/frame-codec';
import type { ClientFrame, ServerFrame } from '@sealwire/wire/frames';
import type { DeviceId } from '@sealwire/wire/ids';
import type { ConnectSocket, SocketClose, SocketHandlers } from '../runtime.ts';

export class FakeSocket {
  readonly frames: ClientFrame[] = [];
  readonly closedWith: (number | 'dropped')[] = [];

  constructor(
    readonly url: string,
    readonly handlers: SocketHandlers,
  ) {}

  say(frame: ServerFrame): void {
    this.handlers.received(encodeServerFrame(frame));
  }

  welcome(device: DeviceId, now: number, lifeMs = 15 * 60_000): void {
    this.handlers.opened();
    this.say({ kind: 'welcome', device, serverTime: now, expiresAt: now + lifeMs, window: 100 });
  }

  close(close: Partial<SocketClose> & { code: number }): void {
    this.handlers.closed({ reason: '', ...close });
  }
}

export class FakeSockets {
  readonly opened: FakeSocket[] = [];

  readonly connect: ConnectSocket = (url, _subprotocol, handlers) => {
    const socket = new FakeSocket(url, handlers);
    this.opened.push(socket);
    return {
      send: (bytes) => void socket.frames.push(decodeClientFrame(bytes.slice())),
      close: (code) => void socket.closedWith.push(code),
      drop: () => void socket.closedWith.push('dropped'),
    };
  };

  get newest(): FakeSocket {
    return this.opened.at(-1)!;
  }
}
