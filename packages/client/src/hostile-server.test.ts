/** What a device holds in memory, whatever its server does: the SDK in a process of its own, against a server that lies. */
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { parseDeviceId, parseMessageId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { LyingServer, type Malice } from './testing/lying-server.ts';
import { runSource } from './testing/source-process.ts';

jest.setTimeout(60_000);

const MiB = 1_024 * 1_024;
/** Over what the process has from the start, which is mostly the compiler that reads our sources. */
const GROWTH_BYTES = 96 * MiB;
/** What the server offers in one attack at most. */
const OFFERED_BYTES = 400 * MiB;
/** How long one attack lasts, in reports of the client: 50 ms each, and more when it has no time for them. */
const ATTACK_REPORTS = 25;

const stranger = parseDeviceId('sip:stranger@example.org;gr=urn:uuid:1');
const payload = new Uint8Array(LIMITS.payloadBytes.value - 1_024);

function deliver(seq: number) {
  const id = parseMessageId(new Uint8Array(16).fill(seq & 255));
  const parts = { content: payload.subarray(0, 1), body: payload.subarray(1) };
  return { kind: 'deliver', seq, sender: stranger, id, acceptedAt: 1, ...parts } as const;
}

/** What the server does with `offer`, which answers false when it has offered enough. */
const attacks: Record<string, (offer: (bytes: number) => boolean) => Malice> = {
  'messages beyond the window, while the directory does not answer': (offer) => ({
    http: () => undefined,
    relay(link) {
      let seq = 0;
      link.flood(() => {
        link.say(deliver(++seq));
        return offer(payload.length);
      });
    },
  }),
  'frames that ask for no answer': (offer) => ({
    relay(link) {
      let seq = 0;
      link.flood(() => {
        seq++;
        link.say({ kind: 'caught-up', lastSeq: seq });
        link.say({ kind: 'gap', count: 1, reason: 'expired', fromSeq: seq, toSeq: seq });
        link.say({ kind: 'renewed', expiresAt: seq });
        link.say({ kind: 'error', code: 'unavailable', text: 'no' });
        link.ping();
        return offer(100);
      });
    },
  }),
  'an answer without length and without end': (offer) => ({
    http: (_request, response) => pour(response.writeHead(200, JSON_TYPE), offer),
  }),
  'a gzip bomb': (offer) => ({
    http(_request, response) {
      const gzip = createGzip();
      gzip.pipe(response.writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip' }));
      response.on('close', () => gzip.destroy());
      pour(gzip, offer);
    },
  }),
};

const JSON_TYPE = { 'content-type': 'application/json' };

/** Zeros without end, as fast as they are taken. */
function pour(into: Writable, offer: (bytes: number) => boolean): void {
  while (!into.destroyed && offer(payload.length))
    if (!into.write(payload)) return void into.once('drain', () => pour(into, offer));
  into.end();
}

let server: LyingServer;
let client: ReturnType<typeof runSource>;

beforeAll(async () => {
  server = await LyingServer.listen();
  client = runSource('./attacked-client.ts', [server.origin]);
});

afterAll(() => {
  client.kill('SIGKILL');
  server.close();
});

it('a server that floods, lies about lengths and never ends makes a device hold so many bytes, and no more', async () => {
  const reports = createInterface({ input: client.stdout! })[Symbol.asyncIterator]();
  const nextRss = async () => Number((await reports.next()).value);
  const first = await nextRss();
  let peak = first;
  for (const [name, attack] of Object.entries(attacks)) {
    let offered = 0;
    server.lie(
      attack((bytes) => {
        if (offered > OFFERED_BYTES) return false;
        offered += bytes;
        return true;
      }),
    );
    for (let report = 0; report < ATTACK_REPORTS; report++) peak = Math.max(peak, await nextRss());
    expect([name, offered > 0]).toEqual([name, true]);
  }
  // NaN when the process has ended.
  expect((peak - first) / MiB).toBeLessThan(GROWTH_BYTES / MiB);
});
