/** A short drill of one embedded server, from the first account to the verdict. Waits are for conditions. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { planEmbedded } from './cluster/embedded.ts';
import { FAULTS } from './faults/all.ts';
import { type Fault, faultsFor } from './faults/fault.ts';
import { shortDrill } from './testing/short-drill.ts';

jest.setTimeout(300_000);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-drill-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

it('kill -9, broken sockets and a storm of reconnections: nothing accepted is lost, doubled or out of order', async () => {
  const names = ['kill-relay', 'cut-clients', 'reconnect-storm'];
  const deployment = await planEmbedded(folder);
  const faults = faultsFor(FAULTS, deployment, names);
  const { offences, counts, over } = await shortDrill(folder, deployment, faults, [
    '--people=3',
    '--rate=10',
    '--sockets=40',
  ]);
  expect(offences).toEqual([]);
  expect(over).toEqual(names);
  expect(counts.accepted).toBe(counts.sent);
  expect(
    Math.min(counts.received, counts.deliveries, counts.acknowledgements, counts.keys, counts.manifests),
  ).toBeGreaterThan(0);
});

it('a fault that cannot be lifted is an offence, and what there is is judged', async () => {
  const stuck: Fault = {
    name: 'stuck',
    about: 'a server that does not start again',
    holdMs: 0,
    possible: () => true,
    strike: async () => {},
    lift: () => Promise.reject(new Error('relay-1 ended')),
  };
  const { offences, counts, over } = await shortDrill(
    folder,
    await planEmbedded(folder),
    [stuck, stuck],
    ['--people=2', '--rate=10'],
  );
  expect(offences.map(({ kind, text }) => [kind, text])).toEqual([['not-recovered', 'stuck: relay-1 ended']]);
  expect(over).toEqual([]);
  expect(counts.accepted).toBeGreaterThan(0);
});
