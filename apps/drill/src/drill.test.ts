/** A short drill of one embedded server, from the first account to the verdict. Waits are for conditions. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { planEmbedded } from './cluster/embedded.ts';
import { FAULTS } from './faults/all.ts';
import { type Fault, faultsFor } from './faults/fault.ts';
import { shortDrill } from './testing/short-drill.ts';

// A minute or so; many times that on a machine that has other work.
jest.setTimeout(600_000);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-drill-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

it('K12: kill -9, broken sockets, a storm of reconnections, a restore: nothing accepted is lost, doubled or out of order', async () => {
  const names = ['kill-relay', 'cut-clients', 'reconnect-storm', 'restore'];
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
  // What some who were offline should have got since the backup; and the new device, and all three lists of the new account.
  expect([counts.restores, counts.gone > 0, counts.givenBack]).toEqual([1, true, 4]);
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
