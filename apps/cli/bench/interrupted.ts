/**
 * A file that the command line sends while its links are cut and its server is killed, at random points, fifty in all; what came is
 * compared: `npm run bench:interrupted -w apps/cli -- [--bytes=268435456] [--points=50] [--seed=1]`. Linux.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { measured } from './measured-process.ts';
import { people, type Server, startServer } from './world.ts';

const PORT = 28_445;
/** One in so many interruptions kills the server. */
const KILLED = 5;
/** Between two interruptions, on average twice a part. */
const LONGEST_QUIET = 24 * 1_048_576;

const { values } = parseArgs({
  options: {
    bytes: { type: 'string', default: String(256 * 1_048_576) },
    points: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
  },
});
const points = Number(values.points);
const random = seededRandom(Number(values.seed));
const upTo = (most: number) => new DataView(random(4).buffer).getUint32(0) % most;

const folder = mkdtempSync(join(tmpdir(), 'sealwire-interrupted-'));
const data = join(folder, 'server');
const [big, got] = [join(folder, 'big.bin'), join(folder, 'got.bin')];
writeFileSync(big, randomBytes(Number(values.bytes)));

const serverAgain = () => startServer(data, PORT + 1, ['--public-origin', `http://127.0.0.1:${PORT}`]);
let server: Server = await serverAgain();
const sockets = new Set<Socket>();
let quiet = Number.POSITIVE_INFINITY;
const done = { cuts: 0, kills: 0 };
let restarting: Promise<void> | undefined;

/** Passes bytes on until the next interruption is due. */
const proxy = createServer((near) => {
  const far = createConnection({ port: PORT + 1, host: '127.0.0.1' });
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    sockets.add(from);
    from
      .on('error', () => {})
      .once('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    from.on('data', (bytes) => {
      quiet -= bytes.length;
      if (quiet < 0) interrupt();
      else if (!to.write(bytes)) from.pause();
    });
    to.on('drain', () => from.resume());
  }
});
await new Promise<void>((resolve) => proxy.listen(PORT, '127.0.0.1', resolve));

function interrupt(): void {
  quiet = done.cuts + done.kills + 1 < points ? upTo(LONGEST_QUIET) : Number.POSITIVE_INFINITY;
  for (const socket of sockets) socket.destroy();
  if (restarting || upTo(KILLED) > 0) {
    done.cuts++;
    return;
  }
  done.kills++;
  restarting = (async () => {
    await server.end('SIGKILL');
    server = await serverAgain();
    restarting = undefined;
  })();
}

try {
  const { sealwire } = await people(folder, `http://127.0.0.1:${PORT}`);
  for (let id = 1; done.cuts + done.kills < points; id++) {
    quiet = upTo(LONGEST_QUIET);
    const sent = await sealwire('alice', 'send', '-t', 'bob', '--file', big, '--wait', '60');
    console.log(`sent in ${sent.seconds.toFixed(0)} s: ${done.cuts} cuts, ${done.kills} kills -9 of the server so far`);
    quiet = Number.POSITIVE_INFINITY;
    await restarting;
    await sealwire('bob', 'listen', '--until-caught-up');
    await sealwire('bob', 'file', 'get', String(id), '-o', got, '--force');
    await measured('cmp', [big, got], {});
  }
  console.log(`every file is the one that was sent; seed ${values.seed}`);
} finally {
  for (const socket of sockets) socket.destroy();
  proxy.close();
  await restarting;
  await server.end('SIGTERM');
  rmSync(folder, { recursive: true });
}
