/** What the oracle is there for: a relay that loses, doubles, reorders or redirects ends a run with exit code 3, whoever else is content. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Constellation, startConstellation } from '@sealwire/testkit/constellation';
import type { Deliver } from '@sealwire/wire/frames';
import type { Report } from '../measuring/report.ts';
import { processRuntime } from '../running/process-runtime.ts';
import { sealwireLoad } from '../testing/in-process.ts';
import { type Liar, lyingRuntime } from '../testing/lying-relay.ts';

jest.setTimeout(60_000);

let folder: string;
let server: Constellation;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-lies-'));
  server = await startConstellation();
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

async function under(liar: Liar, ...more: string[]): Promise<{ readonly code: number; readonly report: Report }> {
  const runtime = lyingRuntime(processRuntime([]), liar);
  const argv = [
    'chat',
    server.origin,
    '--pairs',
    '2',
    '--rate',
    '40',
    '--duration',
    '1s',
    '--patience',
    '500ms',
    '--json',
  ];
  // People of their own: what was lost before waits in the mailboxes of others.
  const home = mkdtempSync(join(folder, 'home-'));
  const { code, stdout } = await sealwireLoad(home, [...argv, ...more], { runtime });
  return { code, report: JSON.parse(stdout) as Report };
}

const NONE = { lost: 0, doubled: 0, reordered: 0, foreign: 0, notAccepted: 0, keyTwice: 0, damaged: 0 };

describe('the oracle of a load', () => {
  it('has nothing to say of a relay that keeps its promises', async () => {
    const { code, report } = await under({});
    expect([code, report.ending, report.oracle.offences]).toEqual([0, 'ok', NONE]);
    expect(report.counts.delivered).toBeGreaterThan(10);
    expect(report.counts.delivered).toBe(report.counts.sent);
  });

  it('never sees two people choose the same id: no clients do, and a server would search for whose it is', async () => {
    const senders = new Map<string, Set<string>>();
    await under({
      deliver(message) {
        const id = Buffer.from(message.id).toString('hex');
        senders.set(id, (senders.get(id) ?? new Set()).add(message.sender));
        return [message];
      },
    });
    expect(senders.size).toBeGreaterThan(10);
    expect([...senders.values()].filter(({ size }) => size > 1)).toEqual([]);
  });

  it('sees that an accepted message is lost', async () => {
    const { code, report } = await under({ deliver: (message, turn) => (turn === 5 ? [] : [message]) });
    expect([code, report.ending, report.oracle.offences]).toEqual([3, 'promise', { ...NONE, lost: 1 }]);
    expect(report.oracle.examples).toEqual([expect.stringMatching(/^lost: message \d+ of sip:load-.* to sip:load-/)]);
  });

  it('sees that a message is lost which was the last one', async () => {
    const { code, report } = await under({ deliver: (message, turn) => (turn < 5 ? [message] : []) });
    expect(code).toBe(3);
    expect(report.oracle.offences).toEqual({ ...NONE, lost: report.counts.sent! - 4 });
  });

  it('sees that a message comes twice, under two numbers of a mailbox', async () => {
    const { code, report } = await under({ deliver: (message, turn) => (turn === 5 ? [message, message] : [message]) });
    expect([code, report.oracle.offences]).toEqual([3, { ...NONE, doubled: 1 }]);
  });

  it('sees that two messages of one writer come in the wrong order', async () => {
    const held = new Map<string, Deliver>();
    const swapped = new Set<string>();
    const { code, report } = await under({
      deliver(message) {
        const first = held.get(message.sender);
        if (first) {
          held.delete(message.sender);
          return [message, first];
        }
        if (swapped.has(message.sender) || swapped.size > 0) return [message];
        swapped.add(message.sender);
        held.set(message.sender, message);
        return [];
      },
    });
    expect([code, report.oracle.offences]).toEqual([3, { ...NONE, reordered: 1 }]);
  });

  it('sees that messages come to somebody else, too', async () => {
    const { code, report } = await under({ redirects: true });
    expect(code).toBe(3);
    expect(report.oracle.offences.foreign).toBeGreaterThan(10);
    expect(report.oracle.offences.lost).toBe(0);
  });

  it('sees that a message is changed on its way', async () => {
    const cut = (message: Deliver): Deliver => ({ ...message, body: message.body.subarray(0, 40) });
    const { code, report } = await under({ deliver: (message, turn) => [turn === 3 ? cut(message) : message] });
    expect([code, report.oracle.offences]).toEqual([3, { ...NONE, damaged: 1 }]);
  });

  it('sees that a message is never accepted', async () => {
    const { code, report } = await under({ other: (frame) => (frame.kind === 'accepted' ? undefined : frame) });
    expect(code).toBe(3);
    expect(report.oracle.offences).toEqual({ ...NONE, notAccepted: report.counts.sent });
  });

  it('does not take a refusal of the server for a loss', async () => {
    let refused = 0;
    const { code, report } = await under({
      other(frame) {
        if (frame.kind !== 'accepted' || refused++ > 0) return frame;
        const [id] = frame.ids;
        return {
          kind: 'rejected',
          id: id!,
          code: 'too-many-requests',
          text: '',
          retryable: true,
          retryAfterMs: 1,
          missing: [],
          extra: [],
          full: [],
        };
      },
    });
    expect([code, report.oracle.offences]).toEqual([0, NONE]);
    expect(report.counts.refused).toBe(1);
    expect(report.warnings).toEqual(expect.arrayContaining([expect.stringContaining('MESSAGES_PER_PAIR=0')]));
  });
});
