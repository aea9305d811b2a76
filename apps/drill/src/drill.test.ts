/** A short drill of one embedded server, from the first account to the verdict. Waits are for conditions. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { planEmbedded } from './cluster/embedded.ts';
import { drill } from './drill.ts';
import { FAULTS } from './faults/all.ts';
import { faultsFor } from './faults/fault.ts';
import { History, readHistory } from './history/history.ts';
import { Checker } from './judging/checker.ts';
import { parseOptions } from './options.ts';

jest.setTimeout(180_000);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-drill-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

it('kill -9, broken sockets and a storm of reconnections: nothing accepted is lost, doubled or out of order', async () => {
  const faults = ['kill-relay', 'cut-clients', 'reconnect-storm'];
  const options = parseOptions(
    ['--embedded', '--minutes=0', '--people=3', '--rate=10', '--sockets=40', `--faults=${faults}`],
    folder,
  );
  const path = join(folder, 'history.jsonl');
  const now = () => performance.timeOrigin + performance.now();
  const history = new History(path, now);
  const deployment = await planEmbedded(folder);
  const { signal } = new AbortController();
  try {
    const chosen = faultsFor(FAULTS, deployment, faults);
    await drill({ options, deployment, faults: chosen, history, now, prefix: '', say: () => {}, signal });
  } finally {
    await deployment.stop();
    await history.close();
  }
  const checker = new Checker();
  const made: string[] = [];
  for await (const event of readHistory(path)) {
    checker.take(event);
    if (event.event === 'fault' && event.phase === 'over') made.push(event.fault);
  }
  const { offences, counts } = checker.verdict();
  expect(offences).toEqual([]);
  expect(made).toEqual(faults);
  expect(counts.accepted).toBe(counts.sent);
  expect(
    Math.min(counts.received, counts.deliveries, counts.acknowledgements, counts.keys, counts.manifests),
  ).toBeGreaterThan(0);
});
