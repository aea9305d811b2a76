/**
 * The measured process: `node … server.ts ours|bare|logged|broadcast`. Listens on a free port and answers the bench over the process channel.
 * `unstored`: ours without a store. `--store=URL --bus=URL --node=NAME`: ours as one node of several.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTokens, createTokenVerifier } from '@sealwire/access/tokens';
import { openBus } from '@sealwire/bus/open';
import { systemRandom } from '@sealwire/crypto/random';
import { trustedProxies } from '@sealwire/service/client-address';
import { tuneCollector } from '@sealwire/service/collector';
import { silentLog } from '@sealwire/service/log';
import { createMetrics } from '@sealwire/service/metrics';
import { openStore } from '@sealwire/store/open';
import type { Store } from '@sealwire/store/port';
import { encodeMailOwn, encodeMailShared } from '@sealwire/wire/frame-codec';
import { parseDeviceId, parseMessageId } from '@sealwire/wire/ids';
import { DEFAULT_SETTINGS, startRelay } from '../src/start.ts';
import { createBareServer } from './bare-server.ts';
import { Calls } from './calls.ts';
import { makeAccount } from './devices.ts';
import { GroupLog } from './group-log.ts';
import { LoopWatch } from './loop-watch.ts';
import type { Credentials, Reply, Request, ServerKind } from './protocol.ts';
import { openUnstored } from './unstored.ts';

const ISSUER = 'https://bench.invalid';
/** The same in every process: what one node signs, each of them takes. */
const SIGNING_SEED = new Uint8Array(32);
/** Devices that are made at a time. */
const TOGETHER = 25;

interface Measured {
  readonly server: Server;
  readonly devices: (prefix: string, count: number, perAccount: number) => Promise<Credentials[]>;
  readonly fill: (device: string, count: number, bytes: number) => Promise<void>;
  readonly calls?: Calls;
  readonly end: () => Promise<void>;
}

function optionOf(option: string): string | undefined {
  const start = `--${option}=`;
  return process.argv.find((argument) => argument.startsWith(start))?.slice(start.length);
}

async function ours(): Promise<Measured> {
  tuneCollector();
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-relay-bench-'));
  const store = process.argv.includes('unstored')
    ? openUnstored()
    : await openStore(optionOf('store') ?? `lmdb:${folder}`, { production: false });
  const bus = await openBus(optionOf('bus') ?? 'memory:');
  const calls = new Calls(store, bus);
  const now = () => Date.now();
  const random = systemRandom;
  const { signer, verifier } = createTokens({ seed: SIGNING_SEED, issuer: ISSUER, now });
  const door = await startRelay({
    store: calls.store,
    bus: calls.bus,
    tokens: process.argv.includes('knows')
      ? verifier
      : createTokenVerifier({ jwks: signer.jwks(), issuer: ISSUER, now }),
    log: silentLog,
    metrics: createMetrics(),
    now,
    random,
    nodeId: optionOf('node') ?? 'bench',
    settings: {
      ...DEFAULT_SETTINGS,
      messagesPerPair: undefined,
      messagesPerRecipient: undefined,
      bytesPerRecipient: undefined,
      bytesPerSender: undefined,
    },
    proxies: trustedProxies([]),
  });
  const server = createServer();
  server.on('upgrade', door.upgrade);
  return {
    server,
    async devices(prefix, count, perAccount) {
      const made: Credentials[] = [];
      const account = async (i: number) => {
        const ids = await makeAccount(store, `${prefix}${i}`, 'bench.invalid', now(), perAccount);
        return Promise.all(
          ids.map(async (device) => ({ device, token: (await signer.sign(device, ['relay'])).token })),
        );
      };
      const accounts = Math.ceil(count / perAccount);
      for (let from = 0; from < accounts; from += TOGETHER) {
        const batch = Array.from({ length: Math.min(TOGETHER, accounts - from) }, (_, i) => from + i);
        made.push(...(await Promise.all(batch.map(account))).flat());
      }
      return made.slice(0, count);
    },
    fill: (device, count, bytes) => fill(store, device, count, bytes, now()),
    calls,
    async end() {
      await door.close();
      await bus.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function fill(store: Store, device: string, count: number, bytes: number, at: number): Promise<void> {
  const sender = parseDeviceId('sip:filler@bench.invalid;gr=urn:uuid:0');
  const body = systemRandom(bytes);
  for (let done = 0; done < count; done += 500) {
    const batch = Array.from({ length: Math.min(500, count - done) }, () => {
      const id = parseMessageId(systemRandom(16));
      const shared = encodeMailShared({ sender, id, acceptedAt: at, body });
      const recipients = [{ device: parseDeviceId(device), own: encodeMailOwn(new Uint8Array(0)) }];
      return { sender, id, digest: systemRandom(32), at, shared, recipients };
    });
    await store.mailboxes.append(batch, DEFAULT_SETTINGS.mailbox);
  }
}

function bare(isBroadcast = false): Measured {
  const server = createBareServer(undefined, isBroadcast);
  return { server, devices: async () => [], fill: async () => {}, end: async () => {} };
}

function logged(): Measured {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-relay-bench-'));
  const log = new GroupLog(join(folder, 'log'));
  return {
    ...bare(),
    server: createBareServer(log),
    async end() {
      log.close();
      rmSync(folder, { recursive: true });
    },
  };
}

const kind = process.argv[2] as ServerKind;
const measured = kind === 'ours' ? await ours() : kind === 'logged' ? logged() : bare(kind === 'broadcast');
const watch = new LoopWatch();
measured.server.listen(0, '127.0.0.1', 2_048, () => {
  process.send?.({ port: (measured.server.address() as AddressInfo).port });
});

async function reply(request: Request): Promise<Reply> {
  switch (request.ask) {
    case 'cpu': {
      const { user, system } = process.cpuUsage();
      return { cpuMicros: user + system };
    }
    case 'calls':
      return { calls: measured.calls?.counted() };
    case 'memory':
      for (let i = 0; i < 4; i++) {
        globalThis.gc?.();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return { rssBytes: process.memoryUsage().rss };
    case 'watch':
      watch.start();
      return {};
    case 'watched':
      return { watched: watch.stop() };
    case 'devices':
      return { devices: await measured.devices(request.prefix, request.count, request.perAccount ?? 1) };
    case 'fill':
      await measured.fill(request.device, request.count, request.bytes);
      return {};
    case 'end':
      await measured.end();
      return {};
  }
}

process.on('message', (request: Request) => {
  reply(request).then((answer) => {
    process.send?.(answer);
    if (request.ask === 'end') process.exit(0);
  });
});

// The bench is gone, whatever became of it.
process.on('disconnect', () => process.exit(1));
