import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { GapEvent, IncomingEvent } from '@sealwire/client/events';
import { parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { Output } from './output.ts';
import { showEvent } from './show-event.ts';
import { NO_GROUPS } from './testing/no-groups.ts';

const ALICE = parseAccountAddress('sip:alice@example.org');
const NO_FILES = { keep: async () => undefined };
const NOBODY_PARKED = {
  address: ALICE,
  inbox: { parked: () => [], retry: async () => {} },
  groups: NO_GROUPS,
  receivedFiles: NO_FILES,
};

/** What is said of events that are shown one after the other, on stdout and stderr. */
async function shown(events: readonly IncomingEvent[], client: Parameters<typeof showEvent>[2], json = false) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const output = new Output({ stdout, stderr, json, color: false });
  for (const event of events) await showEvent(output, event, client);
  return String(json ? stdout.read() : stderr.read());
}

describe('a gap', () => {
  const gap = (event: GapEvent) => shown([event], NOBODY_PARKED);

  it('says that a flood was cut where it came from, and what was only too old', async () => {
    expect(await gap({ kind: 'gap', count: 301, reason: 'trimmed' })).toBe(
      'warning: 301 messages were lost: the mailbox was full, and the oldest ones of whoever had most in it had to go\n',
    );
    expect(await gap({ kind: 'gap', count: 2, reason: 'expired' })).toContain('waited longer');
  });
});

describe('what was parked, because printing it failed', () => {
  it.each([false, true])('is asked for again, once (JSON: %s)', async (json) => {
    const retried: string[] = [];
    const event = { kind: 'gap', count: 1, reason: 'expired' } as const;
    const client = {
      address: ALICE,
      inbox: {
        parked: () => (retried.length === 0 ? [{ id: '7', event }] : []),
        retry: async (id: string) => void retried.push(id),
      },
      groups: NO_GROUPS,
      receivedFiles: NO_FILES,
    };
    const parked = { kind: 'parked', id: '7', what: 'gap' } as const;
    // The second time as after a crash between the two.
    const said = await shown([parked, parked], client, json);
    expect(retried).toEqual(['7']);
    expect(said.split('\n', 1)[0]).toContain(json ? '{"event":"parked","id":"7","what":"gap"}' : 'it comes again');
  });
});

it('what another device of the account found out, or set, is said in a line each', async () => {
  const address = parseAccountAddress('sip:bob@example.org');
  const events = [
    { kind: 'verification-changed', address, state: 'verified' },
    { kind: 'verification-changed', address, state: 'withdrawn' },
    { kind: 'verification-changed', address, state: 'different' },
    { kind: 'timer-changed', conversation: address, lifetime: 60 },
    { kind: 'timer-changed', conversation: address, lifetime: 0 },
  ] as const;
  expect(await shown(events, NOBODY_PARKED)).toBe(
    [
      'another of your devices has verified bob',
      'another of your devices has taken back that you verified bob',
      'warning: another of your devices saw other characters than bob: nothing is sent',
      'another of your devices has set: what you write to bob is shown for 60 seconds',
      'another of your devices has set: what you write to bob has no end',
      '',
    ].join('\n'),
  );
});

describe('receipts', () => {
  const about = { to: parseAccountAddress('sip:bob@example.org'), at: 7 } as const;
  const device = parseDeviceId('sip:bob@example.org;gr=urn:uuid:1');
  const events = [
    { kind: 'delivered', ...about, device, ids: ['a', 'b'] },
    { kind: 'displayed', ...about, device, ids: ['a'] },
    { kind: 'not-delivered', ...about, device, ids: ['b'] },
    { kind: 'displayed-elsewhere', conversation: about.to, by: device, id: 'c' },
  ] as const;

  it('are chatter for people, in a line each, and events for programs', async () => {
    expect(await shown(events, NOBODY_PARKED)).toBe(
      [
        'bob has 2 messages of yours',
        'bob has read a message of yours',
        `warning: ${device} could not take a message of yours to bob`,
        '',
      ].join('\n'),
    );
    const records = (await shown(events, NOBODY_PARKED, true)).trim().split('\n');
    expect(records.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'delivered', ids: ['a', 'b'], at: 7 },
      { event: 'displayed', ids: ['a'] },
      { event: 'not-delivered' },
      { event: 'displayed-elsewhere', id: 'c' },
    ]);
  });
});
