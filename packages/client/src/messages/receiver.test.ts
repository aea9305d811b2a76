/** What waits to be judged and stored, when the relay does not keep to its window (docs/spec/client.md section 6). */
import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import type { Deliver } from '@sealwire/wire/frames';
import { accountOf, parseDeviceId, parseMessageId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { PeerBook } from '../accounts/peer-book.ts';
import type { EngineSetup } from '../engines/engine.ts';
import { Engines } from '../engines/engines.ts';
import type { IncomingGroups } from '../groups/incoming-groups.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { FakeTime, settle } from '../testing/fake-time.ts';
import { IncomingChains } from './chain/incoming-chains.ts';
import { OutgoingChains } from './chain/outgoing-chains.ts';
import { KeptMessages } from './healing/kept-messages.ts';
import { Refusals } from './healing/refusals.ts';
import { Repeats } from './healing/repeats.ts';
import { UnreadMessages } from './healing/unread-messages.ts';
import { Inbox } from './inbox.ts';
import type { Opened } from './opening.ts';
import { IncomingReceipts } from './receipts/incoming-receipts.ts';
import { OwedNotices } from './receipts/owed-notices.ts';
import { OwnDisplays } from './receipts/own-displays.ts';
import { Receiver } from './receiver.ts';
import { SeenIds } from './seen.ts';

const me = parseDeviceId('sip:alice@example.org;gr=urn:uuid:1');
const sender = parseDeviceId('sip:bob@example.org;gr=urn:uuid:1');
const WINDOW = LIMITS.windowMessages.value;
const BATCH = 32;

function delivery(seq: number, length = 0): Deliver {
  const id = parseMessageId(new Uint8Array(16).fill(seq));
  return {
    kind: 'deliver',
    seq,
    sender,
    id,
    acceptedAt: seq,
    content: new Uint8Array(length),
    body: new Uint8Array(0),
  };
}

/** A receiver whose directory does not answer: whatever is delivered waits. */
async function setUp() {
  const ledger = await Ledger.open(new MemoryStorage());
  const dropped: string[] = [];
  const engines = new Engines({} as EngineSetup, []);
  const written = new OutgoingChains(ledger, nodeCrypto(), me);
  const heard = new IncomingChains(ledger, nodeCrypto(), me);
  const now = () => 0;
  const receiver: Receiver = new Receiver({
    ledger,
    inbox: new Inbox(ledger),
    seen: new SeenIds(ledger),
    book: { find: () => undefined, refresh: () => new Promise(() => undefined) } as unknown as PeerBook,
    engines,
    heard,
    incomingReceipts: new IncomingReceipts({
      written,
      displays: new OwnDisplays(ledger, nodeCrypto(), heard, me),
      notices: new OwedNotices(ledger, now),
      own: accountOf(me),
    }),
    unread: new UnreadMessages(ledger, engines, now),
    repeats: new Repeats(ledger, new KeptMessages(now), written, now),
    refusals: new Refusals(ledger, new KeptMessages(now), now),
    groups: {
      pass: (_: unknown, opened: Opened) => ({ events: [], take: [opened], uncounted: [], publish: () => {} }),
    } as unknown as IncomingGroups,
    heal: () => undefined,
    owing: () => undefined,
    verification: () => undefined,
    foreignTyping: () => undefined,
    typing: () => () => undefined,
    me,
    timers: new FakeTime(),
    acknowledge: () => undefined,
    drop: (reason) => {
      dropped.push(reason);
      receiver.offline();
    },
    setback: () => undefined,
    broken: () => undefined,
  });
  /** How many deliveries were taken until the link was dropped; at most `offered`. */
  const take = (offered: number, length = 0): number => {
    for (let seq = 1; seq <= offered; seq++) {
      if (seq % 2 === 0) receiver.take({ kind: 'gap', count: 1, reason: 'expired', fromSeq: seq, toSeq: seq });
      receiver.take(delivery(seq, length));
      if (dropped.length > 0) return seq;
    }
    return offered;
  };
  return { receiver, take, dropped };
}

describe('a relay that ignores the window', () => {
  it('is dropped at twice the window in messages, whatever it sends', async () => {
    const { receiver, take, dropped } = await setUp();
    receiver.take(delivery(1));
    await settle();
    expect(take(10 * WINDOW)).toBeLessThanOrEqual(2 * WINDOW + BATCH);
    expect(dropped).toEqual(['the relay sends more than its window']);
  });

  it('is dropped at twice the window in bytes', async () => {
    const { receiver, take, dropped } = await setUp();
    receiver.take(delivery(1));
    await settle();
    expect(take(WINDOW, LIMITS.payloadBytes.value)).toBe(
      Math.floor((2 * LIMITS.windowBytes.value) / LIMITS.payloadBytes.value) + 1,
    );
    expect(dropped).toHaveLength(1);
  });

  it('is given the same room on each link, and one that keeps to it is not dropped', async () => {
    const { receiver, take, dropped } = await setUp();
    for (let link = 0; link < 5; link++) {
      expect(take(WINDOW, LIMITS.windowBytes.value / WINDOW)).toBe(WINDOW);
      receiver.take({ kind: 'caught-up', lastSeq: WINDOW });
      await settle();
      receiver.offline();
    }
    expect(dropped).toEqual([]);
  });
});
