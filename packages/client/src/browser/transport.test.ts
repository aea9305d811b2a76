import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SUBPROTOCOL } from '@sealwire/wire/frames';
import { LIMITS } from '@sealwire/wire/limits';
import { UNSENT_BYTES } from '../connection/unsent-bytes.ts';
import type { Socket, SocketClose } from '../runtime.ts';
import { settle } from '../testing/fake-time.ts';
import { PageWebSocket, SocketServer } from '../testing/page-sockets.ts';
import type { PageSocketClass } from './platform.ts';
import { socketsOf } from './transport.ts';

const FRAME_BYTES = LIMITS.frameBytes.value;

interface Opened {
  readonly socket: Socket;
  readonly opened: Promise<void>;
  /** Resolves with what came, once there are so many of them. */
  received(count: number): Promise<Uint8Array[]>;
  readonly closed: Promise<SocketClose>;
  /** Every call of a handler. */
  readonly calls: string[];
}

function connect(url: string, WebSocket: PageSocketClass = PageWebSocket): Opened {
  const calls: string[] = [];
  const messages: Uint8Array[] = [];
  let isOpen = () => {};
  let isClosed = (_close: SocketClose) => {};
  const opened = new Promise<void>((resolve) => {
    isOpen = resolve;
  });
  const closed = new Promise<SocketClose>((resolve) => {
    isClosed = resolve;
  });
  let look = () => {};
  const socket = socketsOf(WebSocket)(url, SUBPROTOCOL, {
    opened() {
      calls.push('opened');
      isOpen();
    },
    received(bytes) {
      calls.push(`received ${bytes.length}`);
      messages.push(bytes);
      look();
    },
    closed(close) {
      calls.push('closed');
      isClosed(close);
    },
  });
  const received = (count: number) =>
    new Promise<Uint8Array[]>((resolve) => {
      look = () => void (messages.length >= count && resolve(messages));
      look();
    });
  return { socket, opened, received, closed, calls };
}

describe('with a relay', () => {
  let server: SocketServer;
  beforeEach(async () => {
    server = await SocketServer.listen(SUBPROTOCOL);
  });
  afterEach(() => server.close());

  async function connected() {
    const accepted = server.accept();
    const page = connect(server.url);
    const relay = await accepted;
    await page.opened;
    return { page, relay };
  }

  it('bytes go to and fro, of a view no more than the view', async () => {
    const { page, relay } = await connected();
    page.socket.send(new Uint8Array(10).fill(5).subarray(2, 5));
    expect([...((await once(relay, 'message'))[0] as Buffer)]).toEqual([5, 5, 5]);
    relay.send(Uint8Array.of(1, 2));
    relay.send(new Uint8Array(FRAME_BYTES));
    const [first, second] = await page.received(2);
    expect(first).toEqual(Uint8Array.of(1, 2));
    expect(second).toHaveLength(FRAME_BYTES);
  });

  it('its close comes with code and reason, once, and nothing after it', async () => {
    const { page, relay } = await connected();
    relay.close(4002, 'restart');
    expect(await page.closed).toEqual({ code: 4002, reason: 'restart' });
    page.socket.send(Uint8Array.of(1));
    page.socket.drop();
    page.socket.close(1000);
    await settle();
    expect(page.calls).toEqual(['opened', 'closed']);
  });

  it('a lost connection is 1006, with what can be said of it', async () => {
    const { page, relay } = await connected();
    relay.terminate();
    expect(await page.closed).toEqual({ code: 1006, reason: expect.stringContaining('does not say why') });
  });

  it('close says good-bye with its code', async () => {
    const { page, relay } = await connected();
    page.socket.close(1000);
    expect((await once(relay, 'close'))[0]).toBe(1000);
    expect(await page.closed).toMatchObject({ code: 1000 });
  });

  it('drop ends it at once, but not in the middle of the call, and hears nothing more', async () => {
    const { page, relay } = await connected();
    page.socket.drop();
    expect(page.calls).toEqual(['opened']);
    expect(await page.closed).toMatchObject({ code: 1006 });
    relay.send(Uint8Array.of(1));
    await once(relay, 'close');
    expect(page.calls).toEqual(['opened', 'closed']);
  });

  it.each([
    ['text', 'hello', 'text'],
    ['a frame beyond the limit', new Uint8Array(FRAME_BYTES + 1), 'beyond the limit'],
  ])('%s ends it, unread', async (_what, message, reason) => {
    const { page, relay } = await connected();
    relay.send(message);
    expect(await page.closed).toEqual({ code: 1006, reason: expect.stringContaining(reason) });
    expect(page.calls).toEqual(['opened', 'closed']);
  });
});

it('a server that does not name the subprotocol is none of ours', async () => {
  // As a browser has it, which lets that pass; `ws` does not.
  const made: { protocol: string; onopen?: () => void; closed?: boolean }[] = [];
  class Page {
    protocol = '';
    constructor() {
      made.push(this);
    }
    close() {
      made[0]!.closed = true;
    }
  }
  const page = connect('ws://127.0.0.1:9', Page as unknown as PageSocketClass);
  made[0]!.onopen?.();
  expect(await page.closed).toMatchObject({ code: 1006, reason: expect.stringContaining('protocol') });
  expect(page.calls).toEqual(['closed']);
  expect(made[0]!.closed).toBe(true);
});

it('nobody there, or a refusal: 1006', async () => {
  const server = await SocketServer.listen(SUBPROTOCOL);
  const { url } = server;
  await server.close();
  const page = connect(url);
  expect(await page.closed).toMatchObject({ code: 1006 });
  expect(page.calls).toEqual(['closed']);
});

it('a browser that throws, as at ws: from a page of https, does not throw at the caller', async () => {
  class Refusing {
    constructor() {
      throw new DOMException('an insecure connection from a secure page', 'SecurityError');
    }
  }
  const page = connect('ws://example.org', Refusing as unknown as PageSocketClass);
  expect(page.calls).toEqual([]);
  page.socket.send(Uint8Array.of(1));
  page.socket.drop();
  expect(await page.closed).toEqual({ code: 1006, reason: 'an insecure connection from a secure page' });
  expect(page.calls).toEqual(['closed']);
});

it('a relay that does not read makes the page hold a bounded number of bytes', async () => {
  const sent: number[] = [];
  class Stalled {
    readonly readyState = 1;
    bufferedAmount = 0;
    send(bytes: Uint8Array) {
      sent.push(bytes.length);
      this.bufferedAmount += bytes.length;
    }
    close() {}
  }
  const page = connect('ws://127.0.0.1:9', Stalled as unknown as PageSocketClass);
  const frame = new Uint8Array(FRAME_BYTES);
  for (let n = 0; n < 1_000; n++) page.socket.send(frame);
  expect(await page.closed).toEqual({ code: 1006, reason: expect.stringContaining('does not read') });
  expect(sent.reduce((sum, length) => sum + length)).toBeLessThanOrEqual(UNSENT_BYTES + FRAME_BYTES);
});
