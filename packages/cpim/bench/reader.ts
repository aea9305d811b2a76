/**
 * `npm run bench -w packages/cpim`: how fast messages of 64 KiB are read, good ones and hostile ones, in MB/s and as a ratio to what
 * decoding the same bytes as UTF-8 takes, which every reader of text has to do. Processor time; the contenders take turns.
 */
import { performance } from 'node:perf_hooks';
import { readChatMessage, writeChatMessage } from '../src/chat-message.ts';
import { readMultipart, writeMultipart } from '../src/multipart.ts';
import { readNotice, writeNotice } from '../src/notice.ts';
import { readOuterBody, writeOuterBody } from '../src/outer-body.ts';

const KiB = 1024;
const SIZE = 64 * KiB;
const MILLISECONDS_PER_SLICE = 150;
const SLICES = 4;

const utf8 = (text: string) => new TextEncoder().encode(text);
const decoder = new TextDecoder('utf-8', { fatal: true });
const filled = (piece: string, size = SIZE) => utf8(piece.repeat(Math.ceil(size / piece.length)).slice(0, size));

const message = {
  from: 'sip:alice@example.org;gr=urn:uuid:a0000000-0000-4000-8000-000000000002',
  to: 'sip:bob@example.org',
  sentAt: Date.UTC(2026, 10, 28),
  id: 'c7Or9sbKscLc',
  requests: ['positive-delivery', 'negative-delivery', 'display'] as const,
  type: 'text/plain',
};
const part = { headers: [{ name: 'Content-Type', value: 'text/plain' }], body: utf8('part') };
const keys = Array.from(
  { length: 100 },
  (_, n) => [`sip:bob@example.org;gr=urn:uuid:${n}`, new Uint8Array(440)] as const,
);
const outer = writeOuterBody({ from: message.from, id: message.id, parts: new Map(keys) }, 'boundary');
const notice = writeNotice({ kind: 'display', status: 'displayed', messageId: 'c7Or9sbKscLc', sentAt: message.sentAt });

interface Row {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly read: (bytes: Uint8Array) => unknown;
}

const ROWS: readonly Row[] = [
  {
    name: 'chat message, text of 64 KiB',
    bytes: writeChatMessage({ ...message, body: filled('text ') }),
    read: readChatMessage,
  },
  {
    name: 'chat message, a short text',
    bytes: writeChatMessage({ ...message, body: utf8('hello') }),
    read: readChatMessage,
  },
  { name: 'notice', bytes: notice, read: readNotice },
  {
    name: 'multipart, 1,000 parts',
    bytes: writeMultipart(Array(1_000).fill(part), 'b'),
    read: (bytes) => readMultipart(bytes, 'b'),
  },
  { name: 'outer body, 100 devices', bytes: outer.body, read: (bytes) => readOuterBody(outer.contentType, bytes) },
  { name: 'hostile: LF only', bytes: filled('A: b\n'), read: readChatMessage },
  { name: 'hostile: one endless header', bytes: filled('A:'), read: readChatMessage },
  {
    name: 'hostile: header lines of 16 KiB',
    bytes: utf8(`${'A: b\r\n'.repeat(60)}S: ${' \\u'.repeat(5_000)}\r\n\r\n\r\n${' '.repeat(48 * KiB)}`),
    read: readChatMessage,
  },
  {
    name: 'hostile: a body of almost-boundaries',
    bytes: utf8(`--bbbb\r\n\r\n${'\r\n--bbb'.repeat(9_000)}`),
    read: (bytes) => readMultipart(bytes, 'bbbb'),
  },
];

function attempt({ read, bytes }: Row): void {
  try {
    read(bytes);
  } catch {
    // The hostile ones.
  }
}

/** Bytes per second, of the reader and of decoding alone. */
function measure(row: Row): readonly [number, number] {
  const contenders = [() => attempt(row), () => decoder.decode(row.bytes)];
  const spent = contenders.map(() => ({ calls: 0, ms: 0 }));
  for (let slice = 0; slice <= SLICES; slice++)
    contenders.forEach((run, n) => {
      const start = performance.now();
      const before = process.cpuUsage();
      let calls = 0;
      while (performance.now() - start < MILLISECONDS_PER_SLICE) for (let i = 0; i < 10; i++, calls++) run();
      // The first slice warms up and is not counted.
      const { user, system } = process.cpuUsage(before);
      if (slice > 0) spent[n] = { calls: spent[n]!.calls + calls, ms: spent[n]!.ms + (user + system) / 1_000 };
    });
  const [ours, decoding] = spent.map(({ calls, ms }) => (calls * row.bytes.length * 1_000) / ms);
  return [ours!, decoding!];
}

for (const row of ROWS) {
  const [ours, decoding] = measure(row);
  const microseconds = (row.bytes.length / ours) * 1e6;
  console.log(
    `${row.name.padEnd(38)}${String(row.bytes.length).padStart(7)} bytes ${microseconds.toFixed(1).padStart(8)} µs ${(ours / 1e6).toFixed(0).padStart(7)} MB/s   ${(ours / decoding).toFixed(2)} × decoding`,
  );
}
