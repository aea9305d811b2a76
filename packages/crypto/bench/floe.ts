/** FLOE in segments of 64 KiB against raw AES-256-GCM on the same pieces: `npm run bench:floe -w packages/crypto`. They take turns. */
import { webcrypto } from 'node:crypto';
import { FLOE_SEGMENT_OVERHEAD, FloeEncryptor, type FloePrimitives, FloeReader } from '../src/floe.ts';
import { nodeCrypto } from '../src/node.ts';
import { systemRandom } from '../src/random.ts';
import { webFloePrimitives } from '../src/web.ts';

const ROUNDS = 9;
const SEGMENTS = 512;
const NONE = new Uint8Array(0);
const key = systemRandom(32);
const nonce = systemRandom(12);
const room = systemRandom(65_536 - FLOE_SEGMENT_OVERHEAD);
const node = nodeCrypto();
const providers: Record<string, FloePrimitives> = { node, web: webFloePrimitives(webcrypto.subtle) };

async function rate(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return (SEGMENTS * room.length) / 2 ** 20 / ((performance.now() - begin) / 1000);
}

for (const [name, primitives] of Object.entries(providers)) {
  const raw = primitives.aes256gcm;
  const rawSealed = await raw.seal(key, nonce, room, NONE);
  const floe = await FloeEncryptor.start(primitives, systemRandom, key, NONE);
  const reader = await FloeReader.start(primitives, key, NONE, floe.header);
  const first = await floe.encryptSegment(room);
  const rows: Record<string, (() => Promise<unknown>)[]> = {
    seal: [async () => raw.seal(key, nonce, room, NONE), () => floe.encryptSegment(room)],
    open: [async () => raw.open(key, nonce, rawSealed, NONE), () => reader.decryptSegment(first, 0, false)],
  };
  for (const [row, [peer, own]] of Object.entries(rows)) {
    const pairs: [number, number][] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const repeat = (call: () => Promise<unknown>) => async () => {
        for (let i = 0; i < SEGMENTS; i++) await call();
      };
      pairs.push([await rate(repeat(peer!)), await rate(repeat(own!))]);
    }
    const [gcm, mine] = pairs.toSorted((a, b) => a[1] / a[0] - b[1] / b[0])[ROUNDS >> 1]!;
    console.log(
      `${name} ${row}: AES-256-GCM ${gcm.toFixed(0)} MiB/s, FLOE ${mine.toFixed(0)} MiB/s, ratio ${(mine / gcm).toFixed(2)}`,
    );
  }
}
