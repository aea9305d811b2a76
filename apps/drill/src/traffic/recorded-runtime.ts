/**
 * The SDK's runtime with a recorder between it and the network: every frame, one-time key and list of devices is written down as it
 * passes. Nothing is changed.
 */
import type { ClientRuntime, ConnectSocket } from '@sealwire/client/runtime';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { decodeClientFrame, decodeServerFrame } from '@sealwire/wire/frame-codec';
import { ManifestAnswer } from '@sealwire/wire/http';
import type { DeviceId } from '@sealwire/wire/ids';
import { decodeAnswer, decodeRequest, LIME_CONTENT_TYPE } from '@sealwire/wire/lime-server';
import { decodeManifest, manifestHash } from '@sealwire/wire/manifest';
import type { Record } from '../history/history.ts';

export interface Recorder {
  readonly record: Record;
  /** ms since 1970, of the history. */
  readonly now: () => number;
  /** Where sockets are opened instead of the port that the server names: a link that the drill can slow down. */
  readonly relayPort?: number | undefined;
  /** Where everything else is asked for, likewise: the server's name leads people of different regions to different places. */
  readonly port?: number | undefined;
  /** Is given each socket's way to break it. */
  readonly opened?: (drop: () => void) => void;
}

export function recordedRuntime(runtime: ClientRuntime, recorder: Recorder): ClientRuntime {
  return {
    ...runtime,
    fetch: recordedFetch(runtime, recorder),
    connectSocket: recordedSockets(runtime.connectSocket, recorder),
  };
}

function recordedSockets(
  connectSocket: ConnectSocket,
  { record, port, relayPort = port, opened }: Recorder,
): ConnectSocket {
  let link = 0;
  return (url, subprotocol, handlers) => {
    const own = ++link;
    // Named by the relay's welcome, before any other frame.
    let device: DeviceId | undefined;
    const target = new URL(url);
    if (relayPort !== undefined) target.port = String(relayPort);
    const socket = connectSocket(target.href, subprotocol, {
      ...handlers,
      opened: () => handlers.opened(),
      closed: (close) => handlers.closed(close),
      received(bytes) {
        const frame = decodeServerFrame(bytes.slice());
        if (frame.kind === 'welcome') device = frame.device;
        else if (device) {
          if (frame.kind === 'deliver')
            record({
              event: 'delivered',
              device,
              seq: frame.seq,
              from: frame.sender,
              id: encodeBase64url(frame.id),
              link: own,
            });
          else if (frame.kind === 'accepted')
            for (const id of frame.ids) record({ event: 'frame-accepted', id: encodeBase64url(id), device });
          else if (frame.kind === 'left-out')
            record({ event: 'frame-left-out', id: encodeBase64url(frame.id), device, devices: frame.devices });
        }
        handlers.received(bytes);
      },
    });
    opened?.(() => socket.drop());
    return {
      ...socket,
      send(bytes) {
        const frame = decodeClientFrame(bytes.slice());
        if (device && frame.kind === 'send') {
          const recipients = frame.parts.map((part) => part.device);
          record({ event: 'frame-sent', id: encodeBase64url(frame.id), device, recipients });
        } else if (device && frame.kind === 'ack') record({ event: 'acknowledged', device, upTo: frame.upTo });
        socket.send(bytes);
      },
    };
  };
}

function recordedFetch({ fetch, crypto }: ClientRuntime, { record, now, port }: Recorder): typeof fetch {
  const digestOf = (bytes: Uint8Array) => encodeBase64url(manifestHash(crypto, bytes));
  /** Of a list of devices that we publish. */
  const published = (signed: { readonly manifest: string }) => {
    const bytes = decodeBase64url(signed.manifest);
    const { address, version } = decodeManifest(bytes);
    record({ event: 'manifest-accepted', account: address, version, digest: digestOf(bytes) });
  };
  return async (input, init = {}) => {
    const { method = 'GET', body, headers } = init;
    // Whole, and never later than it was, as the times of events are: what was accepted in the same moment is not held against it.
    const asked = Math.floor(now());
    if (body instanceof Uint8Array && new Headers(headers).get('content-type') === LIME_CONTENT_TYPE)
      recordPublished(body, String(new Headers(headers).get('from')), record);
    const target = new URL(String(input));
    if (port !== undefined) target.port = String(port);
    const response = await fetch(target, init);
    const { pathname } = target;
    const asksForList = method === 'GET' && /\/manifests\/[^/]+$/.test(pathname);
    if (asksForList && response.status === 404) {
      const name = decodeURIComponent(pathname.split('/').at(-1)!);
      record({ event: 'manifest-missing', name, asked });
    }
    if (!response.ok) return response;
    if (method === 'POST' && body instanceof Uint8Array) {
      if (response.headers.get('content-type') === LIME_CONTENT_TYPE) recordKeys(body, await copyOf(response), record);
    } else if (method === 'POST' && pathname.endsWith('/accounts')) published(JSON.parse(String(body)).manifest);
    else if (method === 'PUT' && pathname.includes('/manifests/')) published(JSON.parse(String(body)));
    else if (asksForList) {
      const { address, version, manifest } = ManifestAnswer.parse(
        JSON.parse(Buffer.from(await copyOf(response)).toString()),
      );
      record({ event: 'manifest-read', account: address, version, digest: digestOf(manifest), asked });
    }
    return response;
  };
}

function recordKeys(request: Uint8Array, answer: Uint8Array, record: Record): void {
  const { kind, suite } = decodeRequest(request);
  const decoded = kind === 'getPeerBundle' ? decodeAnswer(answer, suite) : undefined;
  if (decoded?.kind !== 'peerBundle') return;
  for (const { device, bundle } of decoded.peers)
    if (bundle?.oneTimePrekey) record({ event: 'key', device, suite, key: nameOf(bundle.oneTimePrekey.publicKey) });
}

function recordPublished(request: Uint8Array, device: string, record: Record): void {
  const decoded = decodeRequest(request);
  if (decoded.kind !== 'registerUser' && decoded.kind !== 'postOneTimePrekeys') return;
  const keys = decoded.oneTimePrekeys.map(({ publicKey }) => nameOf(publicKey));
  record({ event: 'keys-published', device, suite: decoded.suite, keys });
}

function nameOf(publicKey: Uint8Array): string {
  return encodeBase64url(publicKey.slice(0, 32));
}

async function copyOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.clone().arrayBuffer());
}
