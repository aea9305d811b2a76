/**
 * The trace of a request over the bus: what the API or the directory tells all nodes takes its `traceparent` along, and a relay goes on in
 * that trace. It is a field behind the message (`trace` of packages/wire/proto/node.proto), which nodes that trace nothing skip, and older
 * ones too. Only processes of ours are on the bus, so it is believed.
 */
import { NODES_CHANNEL } from '@sealwire/wire/node-messages';
import type { Tracing } from './tracing.ts';

/** The parts of the bus that this changes. */
export interface TraceableBus {
  publish(channel: string, message: Uint8Array): Promise<void>;
  subscribe(
    channel: string,
    handler: (message: Uint8Array) => void,
    onInterruption?: () => void,
  ): Promise<{ unsubscribe(): Promise<void> }>;
}

/** Field 15, length-delimited, and that length: the 55 letters of a `traceparent`. */
const TAIL_HEAD = [0x7a, 55];
const TAIL_BYTES = 57;

export function tracedBus<B extends TraceableBus>(bus: B, tracing: Tracing | undefined): B {
  if (!tracing) return bus;
  return new Proxy(bus, {
    get(of, key) {
      if (key === 'publish') return publish;
      if (key === 'subscribe') return subscribe;
      const value: unknown = Reflect.get(of, key, of);
      return typeof value === 'function' ? value.bind(of) : value;
    },
  });

  function publish(channel: string, message: Uint8Array): Promise<void> {
    return tracing!.call('bus publish', () => {
      const current = channel === NODES_CHANNEL ? tracing!.current() : undefined;
      // What is not kept here is kept nowhere.
      return bus.publish(channel, current?.endsWith('-01') ? withTail(message, current) : message);
    });
  }

  function subscribe(...[channel, handler, onInterruption]: Parameters<TraceableBus['subscribe']>) {
    const heard = (message: Uint8Array) => tracing!.heard('bus message', tailOf(message), () => handler(message));
    return bus.subscribe(channel, channel === NODES_CHANNEL ? heard : handler, onInterruption);
  }
}

function withTail(message: Uint8Array, traceparent: string): Uint8Array {
  return Buffer.concat([message, Buffer.from(TAIL_HEAD), Buffer.from(traceparent, 'latin1')]);
}

function tailOf(message: Uint8Array): string | undefined {
  const at = message.length - TAIL_BYTES;
  if (at < 0 || message[at] !== TAIL_HEAD[0] || message[at + 1] !== TAIL_HEAD[1]) return undefined;
  return Buffer.from(message.subarray(at + TAIL_HEAD.length)).toString('latin1');
}
