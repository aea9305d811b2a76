/** Store, bus and files: is each there, and does it do what is asked of it? What a check writes it takes away again. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { partsOf } from '@sealwire/blobs/parts';
import type { Blobs } from '@sealwire/blobs/port';
import { parsePeers } from '@sealwire/bus/peers';
import type { Bus } from '@sealwire/bus/port';
import type { DatabaseFacts } from '@sealwire/store/looking';
import type { Store } from '@sealwire/store/port';
import { diskFinding } from './check-machine.ts';
import { clockFinding } from './check-origin.ts';
import { type Finding, wordsOf } from './finding.ts';
import type { Means } from './means.ts';

/** Begins as all channels of the product do: rights are given by that. */
const CHANNEL = 'sealwire.doctor';
const FILE_BYTES = 1_024;
const URL_LIFE_MS = 60_000;
const PROBE_KEY = new TextEncoder().encode('sealwire-doctor');

export interface Parts {
  readonly openStore: (url: string) => Promise<Store>;
  readonly lookAtDatabase: (url: string) => Promise<DatabaseFacts>;
  readonly openBus: (url: string) => Promise<Bus>;
  readonly openBlobs: () => Promise<Blobs>;
}

/** `health`: of the server that runs here, which has an embedded store for itself; undefined: it does not answer. */
export async function checkStore(
  url: string,
  { openStore, lookAtDatabase }: Pick<Parts, 'openStore' | 'lookAtDatabase'>,
  means: Means,
  health: () => Promise<string | undefined>,
): Promise<Finding[]> {
  const folder = /^lmdb:(.+)$/.exec(url)?.[1];
  if (url === 'memory:')
    return [{ name: 'store', detail: 'keeps nothing', fix: 'set STORE_URL: memory: is for trials' }];
  if (folder !== undefined && !existsSync(join(folder, 'data.mdb')))
    return [{ name: 'store', detail: `there is none in ${folder} yet: the first start makes it` }];
  try {
    const facts = folder === undefined ? await lookAtDatabase(url) : undefined;
    const store = await openStore(url);
    try {
      await store.probe();
    } finally {
      await store.close();
    }
    const findings: Finding[] = [{ name: 'store', detail: 'takes a write, and reads it back' }];
    if (!facts) return findings;
    for (const line of facts.toDo)
      findings.push({ name: 'schema', detail: line, fix: 'run sealwire-server migrate up' });
    if (facts.clock !== undefined) findings.push(clockFinding('clock', 'the database', facts.clock, means.now()));
    const { freeBytes, totalBytes } = facts;
    if (freeBytes !== undefined && totalBytes !== undefined)
      findings.push(diskFinding('the database', { freeBytes, totalBytes }, 0));
    return findings;
  } catch (error) {
    const text = wordsOf(error);
    if (!text.includes('in use by'))
      return [{ name: 'store', detail: text, fix: 'see STORE_URL, and docs/operations/faults.md' }];
    const ready = await health();
    if (ready === undefined)
      return [
        {
          name: 'store',
          detail: `${text}, which does not answer at LISTEN`,
          fix: 'see its log; LISTEN here must be what it was started with',
        },
      ];
    return ready === 'ready'
      ? [{ name: 'store', detail: 'the server that runs here writes and reads it' }]
      : [{ name: 'store', detail: `the server that runs here says: ${ready}`, fix: 'see its log' }];
  }
}

export async function checkBus(url: string, openBus: Parts['openBus'], patienceMs: number): Promise<Finding> {
  if (url === 'memory:') return { name: 'bus', detail: 'within one process: right for one server alone' };
  try {
    const bus = await openBus(url);
    try {
      let heard = () => {};
      const arrived = new Promise<boolean>((resolve) => {
        heard = () => resolve(true);
      });
      await bus.subscribe(CHANNEL, () => heard());
      await bus.publish(CHANNEL, PROBE_KEY);
      if (await inTime(arrived, patienceMs)) return { name: 'bus', detail: 'what is published is heard' };
      return {
        name: 'bus',
        detail: 'what is published is not heard',
        fix: 'see whether BUS_URL names the server that all nodes use, and no replica',
      };
    } finally {
      await bus.close();
    }
  } catch (error) {
    return { name: 'bus', detail: wordsOf(error), fix: 'see BUS_URL, and docs/operations/scaling.md' };
  }
}

/** Of other regions, each by the Redis that it has: none of them has to be there for this one to serve. */
export async function* checkPeers(
  peers: string,
  url: string,
  openBus: Parts['openBus'],
  patienceMs: number,
): AsyncGenerator<Finding> {
  try {
    for (const peer of parsePeers(peers, url)) {
      const { detail, fix } = await checkBus(peer.url, openBus, patienceMs);
      const name = `bus ${peer.name}`;
      yield fix === undefined
        ? { name, detail }
        : { name, detail, fix: 'see BUS_PEERS, and docs/operations/regions.md' };
    }
  } catch (error) {
    yield { name: 'bus', detail: wordsOf(error), fix: 'see BUS_PEERS, and docs/operations/regions.md' };
  }
}

export async function checkBlobs(
  open: Parts['openBlobs'],
  id: string,
  { fetch, now, patienceMs }: Means,
): Promise<Finding> {
  let step = 'cannot be opened';
  try {
    const blobs = await open();
    try {
      step = 'takes no file';
      const upload = { id, bytes: FILE_BYTES, handle: await blobs.begin(id, FILE_BYTES, now()) };
      const [part] = partsOf(FILE_BYTES);
      const body = Buffer.alloc(FILE_BYTES, 'doctor');
      const terms = () => ({ now: now(), until: now() + URL_LIFE_MS });
      const signal = () => AbortSignal.timeout(patienceMs);
      if (blobs.way.by === 'streams') await blobs.way.writePart(upload, part!, [body] as never);
      else {
        step = 'takes no file at the address that clients are given (BLOBS_PUBLIC_ORIGIN)';
        await demandOk(
          await fetch(await blobs.way.partUrl(upload, part!, terms()), { method: 'PUT', body, signal: signal() }),
        );
      }
      await blobs.complete(upload);
      try {
        step = 'does not give a file back';
        const read =
          blobs.way.by === 'streams'
            ? await bytesOf(await blobs.way.read(id, { first: 0, last: FILE_BYTES - 1 }))
            : Buffer.from(
                await (
                  await demandOk(await fetch(await blobs.way.readUrl(id, terms()), { signal: signal() }))
                ).arrayBuffer(),
              );
        if (!read.equals(body)) throw new Error('other bytes come back');
      } finally {
        await blobs.delete(id);
      }
      return { name: 'files', detail: 'one was written, read and deleted' };
    } finally {
      await blobs.close();
    }
  } catch (error) {
    return {
      name: 'files',
      detail: `their place ${step} (${wordsOf(error)})`,
      fix: 'see BLOBS_URL, and docs/operations/attachments.md',
    };
  }
}

async function demandOk(answer: Response): Promise<Response> {
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer;
}

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

async function inTime(arrived: Promise<boolean>, patienceMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), patienceMs);
  });
  return Promise.race([arrived, late]).finally(() => clearTimeout(timer));
}
