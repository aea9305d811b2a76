import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { DeviceIdCache } from './device-id-cache.ts';
import { PRESENCE_STATES } from './frames.ts';
import { accountOf, type DeviceId, parseAccountAddress, parseDeviceId } from './ids.ts';
import { LIMITS } from './limits.ts';
import {
  decodeNodeMessage,
  encodeNodeMessage,
  NODES_CHANNEL,
  type NodeMessage,
  type NodePresence,
  nodeChannel,
  parseNodeId,
} from './node-messages.ts';
import { WireError } from './wire-error.ts';

fc.configureGlobal({ seed: 0x5ea1 });

const oracle = protobuf
  .parse(readFileSync(new URL('../proto/node.proto', import.meta.url), 'utf8'))
  .root.lookupType('sealwire.v1.NodeMessage');

const deviceOf = (n: number) => parseDeviceId(`sip:alice@example.org;gr=urn:uuid:${n}`);
const device = fc.nat(9).map(deviceOf);
const node = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,20}$/);
const sessions = fc.array(fc.record({ device, session: fc.maxSafeNat() }), { maxLength: 5 });

const messages: fc.Arbitrary<NodeMessage> = fc.oneof(
  fc.record({ kind: fc.constant('device-removed' as const), device }),
  fc.record({
    kind: fc.constant('devices-changed' as const),
    address: fc.constant(parseAccountAddress('sip:bob@example.org')),
    version: fc.maxSafeNat(),
    devices: fc.array(device, { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('sessions-opened' as const), node, sessions }),
  fc.record({ kind: fc.constant('sessions-closed' as const), node, sessions }),
  fc.record({ kind: fc.constant('who-is-there' as const), node }),
  fc.record({ kind: fc.constant('wake' as const), devices: fc.array(device, { maxLength: 5 }) }),
  fc.record({ kind: fc.constant('ephemeral' as const), device, frame: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({
    kind: fc.constant('here' as const),
    node,
    run: fc.uint8Array({ maxLength: 8 }),
    since: fc.maxSafeNat(),
    at: fc.maxSafeNat(),
  }),
  fc.record({
    kind: fc.constant('presence' as const),
    node,
    asks: fc.boolean(),
    shown: fc.array(
      fc.record({
        account: device.map(accountOf),
        state: fc.constantFrom(...PRESENCE_STATES),
        peers: fc.array(device.map(accountOf), { maxLength: 3 }),
      }),
      { maxLength: 3 },
    ),
  }),
  fc.record({ kind: fc.constant('presence-round' as const), node, leaves: fc.boolean() }),
);

/** States as their numbers. */
function asSchema(fields: object): object {
  if (!('shown' in fields)) return fields;
  const shown = (fields as NodePresence).shown.map(({ state, ...rest }) => ({
    ...rest,
    state: PRESENCE_STATES.indexOf(state),
  }));
  return { ...fields, shown };
}

const refusal = expect.objectContaining({ name: 'WireError', code: 'bad-node-message' });

describe('node messages', () => {
  it('decode(encode(x)) is x, with and without a cache of device ids', () => {
    const cache = new DeviceIdCache();
    fc.assert(
      fc.property(messages, (message) => {
        expect(decodeNodeMessage(encodeNodeMessage(message))).toEqual(message);
        expect(decodeNodeMessage(encodeNodeMessage(message), cache)).toEqual(message);
      }),
    );
  });

  it('are what protobufjs writes for the published schema', () => {
    fc.assert(
      fc.property(messages, ({ kind, ...fields }) => {
        const name = kind.replace(/-./g, (dash) => dash[1]!.toUpperCase());
        const written = oracle.encode(oracle.fromObject({ [name]: asSchema(fields) })).finish();
        expect(encodeNodeMessage({ kind, ...fields } as NodeMessage)).toEqual(Uint8Array.from(written));
      }),
    );
  });

  it('B09 S81: truncated and mutated messages and garbage → a message or one typed error', () => {
    let refused = 0;
    fc.assert(
      fc.property(messages, fc.nat(), fc.nat(255), fc.uint8Array({ maxLength: 60 }), (message, at, byte, noise) => {
        const mutant = Uint8Array.from(encodeNodeMessage(message));
        mutant[at % mutant.length] = byte;
        for (const input of [mutant, mutant.subarray(0, at % mutant.length), noise]) {
          try {
            decodeNodeMessage(input);
          } catch (error) {
            if (!(error instanceof WireError)) throw error;
            expect(error.code).toBe('bad-node-message');
            refused++;
          }
        }
      }),
      { numRuns: 1000 },
    );
    expect(refused).toBeGreaterThan(1000);
  });

  const wrong: [string, object][] = [
    ['nothing', {}],
    ['no device', { deviceRemoved: {} }],
    ['no address', { devicesChanged: {} }],
    ['no node', { whoIsThere: {} }],
    ['a node id with a dot', { whoIsThere: { node: 'a.b' } }],
    ['a session of no device', { sessionsOpened: { node: 'a', sessions: [{ session: 1 }] } }],
    ['a session on no node', { sessionsClosed: { sessions: [{ device: deviceOf(1), session: 1 }] } }],
    [
      '1001 sessions',
      {
        sessionsOpened: {
          node: 'a',
          sessions: Array.from({ length: LIMITS.partsPerFrame.value + 1 }, (_, n) => ({ device: deviceOf(n) })),
        },
      },
    ],
    ['an ephemeral for nobody', { ephemeral: { frame: Uint8Array.of(1) } }],
    [
      'an ephemeral beyond a frame',
      { ephemeral: { device: deviceOf(1), frame: new Uint8Array(LIMITS.frameBytes.value + 1) } },
    ],
    [
      '1001 to wake',
      { wake: { devices: Array.from({ length: LIMITS.partsPerFrame.value + 1 }, (_, n) => deviceOf(n)) } },
    ],
  ];
  it.each(wrong)('B09: %s → dropped', (_what, message) => {
    expect(() => decodeNodeMessage(oracle.encode(oracle.fromObject(message)).finish())).toThrow(refusal);
  });

  it('B09: a message of a newer version → dropped', () => {
    expect(() => decodeNodeMessage(Uint8Array.of((15 << 3) | 2, 0))).toThrow(refusal);
  });

  it.each([
    ['a wake', (devices: DeviceId[]): NodeMessage => ({ kind: 'wake', devices })],
    [
      'a list of sessions',
      (devices: DeviceId[]): NodeMessage => ({
        kind: 'sessions-opened',
        node: 'a',
        sessions: devices.map((device, n) => ({ device, session: n })),
      }),
    ],
  ])('partsPerFrame bounds %s on both sides', (_what, messageOf) => {
    const devices = Array.from({ length: LIMITS.partsPerFrame.value }, (_, n) => deviceOf(n));
    const most = messageOf(devices);
    expect(decodeNodeMessage(encodeNodeMessage(most))).toEqual(most);
    expect(() => encodeNodeMessage(messageOf([...devices, deviceOf(0)]))).toThrow(
      expect.objectContaining({ code: 'limit-reached' }),
    );
  });
});

describe('channels', () => {
  it('a node has one of its own, that no node id can turn into another', () => {
    expect(nodeChannel('relay-1')).toBe('sealwire.node.relay-1');
    expect(nodeChannel('s')).not.toBe(NODES_CHANNEL);
    expect(parseNodeId('x'.repeat(64))).toHaveLength(64);
    for (const bad of ['', '-a', 'a.b', 'a b', 'a*', 'x'.repeat(65)])
      expect(() => nodeChannel(bad)).toThrow(expect.objectContaining({ code: 'bad-node-id' }));
  });
});
