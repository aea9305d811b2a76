/** What the recorder writes down: all that the checker judges comes from here, so that what it missed nobody would miss. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { nodeRuntime } from '@sealwire/client/node/runtime';
import type { ClientRuntime, SocketHandlers } from '@sealwire/client/runtime';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { encodeClientFrame, encodeServerFrame } from '@sealwire/wire/frame-codec';
import { type MessageId, parseDeviceId } from '@sealwire/wire/ids';
import { encodeRequest, LIME_CONTENT_TYPE } from '@sealwire/wire/lime-server';
import type { Happening } from '../history/events.ts';
import { recordedRuntime } from './recorded-runtime.ts';

const ALICE = parseDeviceId('sip:alice@example.org;gr=urn:uuid:00000000-0000-4000-8000-000000000001');
const BOB = parseDeviceId('sip:bob@example.org;gr=urn:uuid:00000000-0000-4000-8000-000000000002');
const ID = new Uint8Array(16).fill(7) as MessageId;
const TEXT = new Uint8Array(1);
const id = encodeBase64url(ID);

let happenings: Happening[];
let links: SocketHandlers[];
let passed: number;
let runtime: ClientRuntime;

beforeEach(() => {
  happenings = [];
  links = [];
  passed = 0;
  const network: ClientRuntime = {
    ...nodeRuntime(),
    fetch: async () => new Response('{}', { status: 404 }),
    connectSocket: (_url, _subprotocol, handlers) => {
      links.push(handlers);
      return { send: () => void passed++, close: () => {}, drop: () => {} };
    },
  };
  runtime = recordedRuntime(network, { record: (happening) => void happenings.push(happening), now: () => 5 });
});

function connect() {
  const socket = runtime.connectSocket('ws://x/relay', 'y', {
    opened: () => {},
    received: () => void passed++,
    closed: () => {},
  });
  return {
    socket,
    received: (frame: Parameters<typeof encodeServerFrame>[0]) => links.at(-1)!.received(encodeServerFrame(frame)),
  };
}

describe('the recorder', () => {
  it('writes down each frame in both directions, by the link it was on, and passes it on', () => {
    for (const link of [1, 2]) {
      happenings = [];
      passed = 0;
      const { socket, received } = connect();
      received({ kind: 'welcome', device: ALICE, serverTime: 0, expiresAt: 0, window: 1 });
      socket.send(
        encodeClientFrame({
          kind: 'send',
          id: ID,
          body: TEXT,
          parts: [{ device: BOB, content: TEXT }],
          allDevices: true,
          ownElsewhere: false,
        }),
      );
      received({ kind: 'left-out', id: ID, code: 'mailbox-full', devices: [BOB] });
      received({ kind: 'accepted', ids: [ID] });
      received({ kind: 'deliver', seq: 4, sender: BOB, id: ID, acceptedAt: 0, content: TEXT, body: TEXT });
      socket.send(encodeClientFrame({ kind: 'ack', upTo: 4 }));
      expect(happenings).toEqual([
        { event: 'frame-sent', id, device: ALICE, recipients: [BOB] },
        { event: 'frame-left-out', id, device: ALICE, devices: [BOB] },
        { event: 'frame-accepted', id, device: ALICE },
        { event: 'delivered', device: ALICE, seq: 4, from: BOB, id, link },
        { event: 'acknowledged', device: ALICE, upTo: 4 },
      ]);
      expect(passed).toBe(6);
    }
  });

  it('writes down that there is no list of an account', async () => {
    await runtime.fetch('http://x/directory/manifests/bob', { method: 'GET' });
    await runtime.fetch('http://x/v1/other', { method: 'GET' });
    expect(happenings).toEqual([{ event: 'manifest-missing', name: 'bob', asked: 5 }]);
  });

  it('writes down which one-time keys a device publishes, and nothing of them but their public part', async () => {
    const oneTimePrekeys = [1, 2].map((id) => ({ id, publicKey: new Uint8Array(32).fill(id) }));
    const body = encodeRequest({ kind: 'postOneTimePrekeys', suite: 'c25519', oneTimePrekeys });
    const headers = { 'content-type': LIME_CONTENT_TYPE, from: ALICE };
    await runtime.fetch('http://x/lime', { method: 'POST', headers, body });
    const keys = oneTimePrekeys.map(({ publicKey }) => encodeBase64url(publicKey));
    expect(happenings).toEqual([{ event: 'keys-published', device: ALICE, suite: 'c25519', keys }]);
  });

  it('leads all that is asked for to another port, or sockets alone', async () => {
    const asked: string[] = [];
    const network: ClientRuntime = {
      ...nodeRuntime(),
      fetch: async (input) => {
        asked.push(String(input));
        return new Response('{}', { status: 404 });
      },
      connectSocket: (url) => {
        asked.push(url);
        return { send: () => {}, close: () => {}, drop: () => {} };
      },
    };
    for (const ports of [{}, { port: 81 }, { relayPort: 82 }, { port: 81, relayPort: 82 }]) {
      runtime = recordedRuntime(network, { record: () => {}, now: () => 5, ...ports });
      await runtime.fetch('http://x/v1/other');
      connect();
    }
    expect(asked).toEqual([
      ...['http://x/v1/other', 'ws://x/relay', 'http://x:81/v1/other', 'ws://x:81/relay'],
      ...['http://x/v1/other', 'ws://x:82/relay', 'http://x:81/v1/other', 'ws://x:82/relay'],
    ]);
  });
});
