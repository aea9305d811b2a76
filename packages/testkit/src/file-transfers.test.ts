/** Files through a real server whose process is killed, over links that are cut (docs/spec/files.md section 7; case G07). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Client } from '@sealwire/client/client';
import { bytesSource } from '@sealwire/client/file-source';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import { connectSocket } from '@sealwire/client/node/transport';
import type { ClientRuntime } from '@sealwire/client/runtime';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { seededNumbers, seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { FaultyLink, type LinkFault } from './faults/faulty-link.ts';
import { ServerProcess } from './faults/server-process.ts';
import { endAllProcesses } from './faults/source-process.ts';

jest.setTimeout(180_000);

const SIZE = 12 << 20;
const FAULTS = 50;
const LONGEST_PAUSE_MS = 300;
/** Times after which a call or a transfer is over: no pauses. */
const WATCHES = [30_000, 60_000];

let folder: string;
let server: ServerProcess;
let link: FaultyLink;
let kills: number;
let coming: Promise<unknown>;
let client: Client;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-transfers-'));
  server = await ServerProcess.on(folder);
  await server.start();
  kills = 0;
  coming = Promise.resolve();
  link = await FaultyLink.to(server.port, () => {
    kills++;
    coming = coming.then(() => server.kill()).then(() => server.start());
  });
  client = await Client.register({
    server: server.origin,
    name: 'alice',
    storage: new MemoryStorage(),
    runtime: runtimeOver(link),
  });
});

afterEach(async () => {
  await client.close();
  await link.close();
  await coming;
  await endAllProcesses();
  rmSync(folder, { recursive: true });
});

/** Pauses are short, but long enough for a server to start again before patience is over. */
function runtimeOver({ port }: FaultyLink): ClientRuntime {
  return {
    crypto: nodeCrypto(),
    random: systemRandom,
    now: Date.now,
    fetch: (input, init) => {
      const url = new URL(String(input));
      url.port = String(port);
      return fetch(url, init);
    },
    connectSocket,
    timers: {
      after(ms, run) {
        const timer = setTimeout(run, WATCHES.includes(ms) || ms > 60_000 ? ms : Math.min(ms, LONGEST_PAUSE_MS));
        timer.unref();
        return () => clearTimeout(timer);
      },
    },
  };
}

/** `others`: what happens beside cuts, and at every how many faults. */
function faultsOf(seed: number, mostBytes: number, others: Partial<Record<LinkFault['kind'], number>>): LinkFault[] {
  const random = seededNumbers(seed);
  const { kill = FAULTS + 1, 'not-now': notNow = FAULTS + 1 } = others;
  return Array.from({ length: FAULTS }, (_, i) => {
    const kind = i % kill === kill - 1 ? 'kill' : i % notNow === notNow - 1 ? 'not-now' : 'cut';
    return { afterBytes: 1 + Math.floor(random() * mostBytes), kind };
  });
}

it('G07: uploads that are interrupted at 50 points, by cut links, refusals and killed servers, complete, and so does a download', async () => {
  const plaintext = seededRandom(5)(SIZE);
  const about = { name: 'a.bin', type: 'application/x-any' };
  // A part of 8 MiB has to get through now and then: one that breaks forty times in a row is given up.
  link.plan(faultsOf(6, SIZE, { kill: 16, 'not-now': 4 }));
  let descriptor = await client.files.upload(bytesSource(plaintext), about);
  while (link.pending > 0) descriptor = await client.files.upload(bytesSource(plaintext), about);
  expect(kills).toBe(3);
  await coming;

  link.plan(faultsOf(7, SIZE / FAULTS, { kill: 25 }));
  const pieces: Uint8Array[] = [];
  for await (const piece of client.files.download(descriptor)) pieces.push(piece);
  expect(link.pending).toBe(0);
  expect(Buffer.concat(pieces).equals(plaintext)).toBe(true);
});
