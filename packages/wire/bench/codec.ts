/**
 * The codec of the hot frames beside protobufjs and JSON: `npm run bench -w packages/wire`. Every contender decodes to strings and byte
 * arrays; only ours also validates. The contenders take turns in slices, so that the ratios survive a noisy machine.
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import protobuf from 'protobufjs';
import { DeviceIdCache } from '../src/device-id-cache.ts';
import {
  decodeClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  encodeDeliver,
  encodeMailOwn,
  encodeMailShared,
  encodeServerFrame,
} from '../src/frame-codec.ts';
import type { Deliver, Send } from '../src/frames.ts';
import { parseDeviceId, parseMessageId } from '../src/ids.ts';

const MILLISECONDS_PER_SLICE = 60;
const SLICES = 4;
const BATCH = 200;

const schema = protobuf.parse(readFileSync(new URL('../proto/relay.proto', import.meta.url), 'utf8')).root;
const ClientFrame = schema.lookupType('sealwire.v1.ClientFrame');
const ServerFrame = schema.lookupType('sealwire.v1.ServerFrame');

const device = (n: number) =>
  parseDeviceId(`sip:alice@example.org;gr=urn:uuid:01234567-89ab-4def-8123-456789abcd${n}${n}`);
const id = parseMessageId(Uint8Array.from({ length: 16 }, (_, i) => i));
const body = new Uint8Array(1024).fill(0xa5);
const content = new Uint8Array(130).fill(0x5a);
const send: Send = {
  kind: 'send',
  id,
  body,
  parts: [
    { device: device(1), content },
    { device: device(2), content },
  ],
  allDevices: true,
  ownElsewhere: false,
};
const deliver: Deliver = {
  kind: 'deliver',
  seq: 123_456,
  sender: device(1),
  id,
  acceptedAt: 1_790_000_000_000,
  content,
  body,
};

const theirSend = { send: { id, body, parts: send.parts, allDevices: true } };
const theirDeliver = {
  deliver: { seq: deliver.seq, sender: deliver.sender, id, acceptedAt: deliver.acceptedAt, content, body },
};
const sendBytes = encodeClientFrame(send);
const deliverBytes = encodeServerFrame(deliver);
const mail = Buffer.concat([...encodeMailShared(deliver), ...encodeMailOwn(deliver.content)]);

const base64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
const toJson = (value: object) =>
  Buffer.from(JSON.stringify(value, (_key, field) => (field instanceof Uint8Array ? base64(field) : field)));
const BYTE_FIELDS = new Set(['id', 'body', 'content']);
const fromJson = (text: Buffer) =>
  JSON.parse(text.toString(), (key, field) => (BYTE_FIELDS.has(key) ? Buffer.from(field, 'base64') : field));
const sendJson = toJson(theirSend);
const deliverJson = toJson(theirDeliver);

const cache = new DeviceIdCache();

interface Row {
  readonly name: string;
  readonly contenders: Readonly<Record<string, () => unknown>>;
}

const ROWS: readonly Row[] = [
  {
    name: 'Send, encode',
    contenders: {
      ours: () => encodeClientFrame(send),
      protobufjs: () => ClientFrame.encode(theirSend).finish(),
      JSON: () => toJson(theirSend),
    },
  },
  {
    name: 'Send, decode (relay)',
    contenders: {
      ours: () => decodeClientFrame(sendBytes, cache),
      'ours, no cache': () => decodeClientFrame(sendBytes),
      protobufjs: () => ClientFrame.decode(sendBytes),
      JSON: () => fromJson(sendJson),
    },
  },
  {
    name: 'Deliver, encode whole',
    contenders: {
      ours: () => encodeServerFrame(deliver),
      protobufjs: () => ServerFrame.encode(theirDeliver).finish(),
      JSON: () => toJson(theirDeliver),
    },
  },
  {
    name: 'Deliver, from the mailbox (relay)',
    contenders: {
      ours: () => encodeDeliver(deliver.seq, [mail]),
      protobufjs: () => ServerFrame.encode(theirDeliver).finish(),
      JSON: () => toJson(theirDeliver),
    },
  },
  {
    name: 'Deliver, decode',
    contenders: {
      ours: () => decodeServerFrame(deliverBytes, cache),
      protobufjs: () => ServerFrame.decode(deliverBytes),
      JSON: () => fromJson(deliverJson),
    },
  },
];

/** Calls per second, of each contender. */
function measure(row: Row): Map<string, number> {
  const spent = new Map<string, { calls: number; ms: number }>();
  for (let slice = 0; slice <= SLICES; slice++)
    for (const [name, run] of Object.entries(row.contenders)) {
      const total = spent.get(name) ?? { calls: 0, ms: 0 };
      const start = performance.now();
      let calls = 0;
      while (performance.now() - start < MILLISECONDS_PER_SLICE) {
        for (let i = 0; i < BATCH; i++) run();
        calls += BATCH;
      }
      // The first slice warms up and is not counted.
      spent.set(name, slice === 0 ? total : { calls: total.calls + calls, ms: total.ms + performance.now() - start });
    }
  return new Map([...spent].map(([name, { calls, ms }]) => [name, (calls * 1000) / ms]));
}

for (const row of ROWS) {
  const rates = measure(row);
  const ours = rates.get('ours')!;
  const columns = [...rates].map(([name, rate]) =>
    name === 'ours'
      ? `${Math.round(rate / 1000)}k/s`
      : `${(ours / rate).toFixed(2)} × ${name} (${Math.round(rate / 1000)}k/s)`,
  );
  console.log(`${row.name.padEnd(36)}${columns.join('   ')}`);
}
