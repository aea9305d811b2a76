/**
 * Several nodes on one database: what no node can see by itself. A writer that is slow, dead, or comes back after others did its work; readers
 * that close its numbers; numbers that two nodes want at once.
 */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import {
  ALICE,
  BOB,
  bundle,
  device,
  deviceId,
  LIFE_MS,
  mail,
  manifest,
  NOW,
  nameAnew,
  oneTimeKeys,
  people,
  ROOMY,
  readAll,
  upTo,
} from './contract/fixture.ts';
import type { Steps } from './faults.ts';
import { openMongoStore } from './mongo.ts';
import type { Store } from './port.ts';
import { emptyDatabase, testDatabase } from './testing/mongo-database.ts';

const url = testDatabase('nodes');

interface Node {
  readonly store: Store;
  readonly steps: Steps;
}

(url === undefined ? describe.skip : describe)('several nodes on one database (skipped without MONGODB_URI)', () => {
  jest.setTimeout(60_000);
  let nodes: Node[];
  let phone: DeviceId;

  beforeEach(async () => {
    nameAnew();
    phone = deviceId(ALICE, 1);
    nodes = await Promise.all([0, 1, 2].map(() => openMongoStore({ url: url!, production: false })));
    await people(nodes[0]!.store, ALICE, 1);
  });

  afterEach(async () => {
    for (const { store } of nodes) await store.close();
    await emptyDatabase(url!);
  });

  const bodies = async (store: Store) => (await readAll(store, phone)).mails.map(({ bytes }) => bytes[0]);

  /** Reads until nothing is held back. */
  async function settled(store: Store): Promise<(number | undefined)[]> {
    for (let reads = 0; reads < 20; reads++) if ((await readAll(store, phone)).end) break;
    return bodies(store);
  }

  /** The nth step of the node's next call waits until it is let go; resolves when the call has come there. */
  function pauseAt({ steps }: Node, nth: number): { readonly reached: Promise<void>; go(): void } {
    let go = () => {};
    let reach = () => {};
    const reached = new Promise<void>((resolve) => {
      reach = resolve;
    });
    const held = new Promise<'done'>((resolve) => {
      go = () => resolve('done');
    });
    steps.plan((step) => {
      if (step !== nth) return 'done';
      reach();
      return held;
    });
    return { reached, go: () => go() };
  }

  it('messages of many senders over all nodes: each once, in its sender’s order, numbers growing as they are read', async () => {
    const senders = [1, 2, 3, 4, 5, 6].map((n) => deviceId(BOB, n));
    const each = 25;
    let done = false;
    const writing = Promise.all(
      senders.map(async (sender, s) => {
        const { store } = nodes[s % 2]!;
        for (let n = 0; n < each; n++) {
          const [result] = await store.mailboxes.append(
            [{ ...mail(n, sender, [phone]), shared: [Uint8Array.of(s, n)] }],
            ROOMY,
          );
          expect(result?.status).toBe('accepted');
        }
      }),
    ).then(() => {
      done = true;
    });
    const seen: { seq: number; sender: number; n: number }[] = [];
    const reader = nodes[2]!.store.mailboxes;
    for (;;) {
      const isLast = done;
      const page = await reader.read(phone, {
        after: seen.at(-1)?.seq ?? 0,
        messages: 10,
        bytes: 1 << 20,
        horizon: NOW - LIFE_MS,
      });
      for (const { seq, bytes } of page.mails) {
        expect(seq).toBeGreaterThan(seen.at(-1)?.seq ?? 0);
        seen.push({ seq, sender: bytes[0]!, n: bytes[1]! });
      }
      if (isLast && page.end && page.mails.length === 0) break;
    }
    await writing;
    expect(seen).toHaveLength(senders.length * each);
    for (const s of senders.keys())
      expect(seen.filter(({ sender }) => sender === s).map(({ n }) => n)).toEqual(
        Array.from({ length: each }, (_, n) => n),
      );
  });

  it.each([
    ['its numbers are given out', 1],
    ['its id is written down', 2],
  ])(
    'a writer that stops when %s holds others back, but not for long, and its message comes later, once',
    async (_, after) => {
      const [slow, other] = nodes as [Node, Node];
      // Its mailbox is known, so that its steps are those of the hot path.
      await slow.store.mailboxes.append([mail(1, deviceId(BOB, 1), [phone])], ROOMY);
      const pause = pauseAt(slow, after + 1);
      const late = slow.store.mailboxes.append([mail(2, deviceId(BOB, 1), [phone])], ROOMY);
      await pause.reached;
      await other.store.mailboxes.append([mail(3, deviceId(BOB, 2), [phone])], ROOMY);
      expect(await readAll(other.store, phone)).toMatchObject({ end: false, mails: [{ seq: 1 }] });
      expect(await settled(other.store)).toEqual([1, 3]);
      pause.go();
      expect((await late)[0]).toMatchObject({ status: 'accepted' });
      expect(await settled(other.store)).toEqual([1, 3, 2]);
    },
  );

  it('a writer that comes back after another node did its work puts nothing twice into the mailbox', async () => {
    const [zombie, other] = nodes as [Node, Node];
    await zombie.store.mailboxes.append([mail(1, deviceId(BOB, 1), [phone])], ROOMY);
    const pause = pauseAt(zombie, 3);
    const late = zombie.store.mailboxes.append([mail(2, deviceId(BOB, 1), [phone])], ROOMY);
    await pause.reached;
    const again = () => other.store.mailboxes.append([mail(2, deviceId(BOB, 1), [phone])], ROOMY);
    expect((await again())[0]).toMatchObject({ status: 'accepted' });
    expect(await settled(other.store)).toEqual([1, 2]);
    const { settledSeq } = await readAll(other.store, phone);
    await other.store.mailboxes.acknowledge([upTo(phone, settledSeq)]);
    expect((await again())[0]).toEqual({ status: 'repeated', refused: [] });
    pause.go();
    await late;
    expect(await settled(other.store)).toEqual([]);
    expect((await again())[0]).toEqual({ status: 'repeated', refused: [] });
  });

  it('a removal beside an append: the message is accepted before it or refused, and no mailbox comes back', async () => {
    const [slow, other] = nodes as [Node, Node];
    const pause = pauseAt(slow, 2);
    const late = slow.store.mailboxes.append([mail(1, deviceId(BOB, 1), [phone])], ROOMY);
    await pause.reached;
    await other.store.devices.remove(phone, NOW);
    pause.go();
    await late;
    expect(await other.store.mailboxes.usage(phone)).toEqual({ messages: 0, bytes: 0 });
    for (const { store } of nodes)
      expect(await store.mailboxes.append([mail(2, deviceId(BOB, 1), [phone])], ROOMY)).toEqual([
        { status: 'unknown', devices: [phone] },
      ]);
  });

  it('numbers that a full mailbox loses are told once, though two nodes make room at the same time', async () => {
    const tight = { ...ROOMY, messages: 5, whenFull: 'trim' as const };
    for (let n = 1; n <= 5; n++) await nodes[0]!.store.mailboxes.append([mail(n, deviceId(BOB, 1), [phone])], tight);
    const results = await Promise.all(
      [6, 7, 8, 9].map((n) => nodes[n % 2]!.store.mailboxes.append([mail(n, deviceId(BOB, n), [phone])], tight)),
    );
    for (const [result] of results) expect(result?.status).toBe('accepted');
    await settled(nodes[2]!.store);
    const page = await readAll(nodes[2]!.store, phone);
    expect(page.mails.length + (page.gap?.count ?? 0)).toBe(9);
  });

  it('what a node knows of a full mailbox is completed by what others did to it: taken, lost, acknowledged', async () => {
    const tight = { ...ROOMY, messages: 5, whenFull: 'trim' as const };
    const [one, other] = nodes as [Node, Node];
    const append = ({ store }: Node, n: number) => store.mailboxes.append([mail(n, deviceId(BOB, 1), [phone])], tight);
    for (let n = 1; n <= 6; n++) await append(one, n);
    expect(await bodies(one.store)).toEqual([2, 3, 4, 5, 6]);
    await append(other, 7);
    await append(one, 8);
    expect(await bodies(one.store)).toEqual([4, 5, 6, 7, 8]);
    const { mails, gap } = await readAll(other.store, phone);
    expect(gap).toMatchObject({ count: 3, toSeq: mails[0]!.seq - 1 });
    await other.store.mailboxes.acknowledge([upTo(phone, mails[2]!.seq)]);
    await append(other, 9);
    for (const n of [10, 11]) await append(one, n);
    expect(await bodies(one.store)).toEqual([7, 8, 9, 10, 11]);
    await append(one, 12);
    expect(await bodies(other.store)).toEqual([8, 9, 10, 11, 12]);
  });

  it('a call of several parts fails when the last of them has ended: nothing of it happens later', async () => {
    const [node, other] = nodes as [Node, Node];
    const [one, two] = await people(other.store, BOB, 2);
    for (const [n, id] of [one!, two!].entries())
      await other.store.prekeys.register(id, 'c25519', bundle(n + 1), oneTimeKeys(1, 2));
    let go = () => {};
    const held = new Promise<'done'>((resolve) => {
      go = () => resolve('done');
    });
    node.steps.plan((step) => (step === 1 ? 'failed' : held));
    let hasFailed = false;
    const failing = node.store.prekeys.claim('c25519', [one!, two!], NOW).catch(() => {
      hasFailed = true;
    });
    for (let reads = 0; reads < 5; reads++) await other.store.probe();
    expect(hasFailed).toBe(false);
    go();
    await failing;
    expect(hasFailed).toBe(true);
  });

  it.each([1, 2, 3, 4, 5])(
    'an admission that stops before its step %i: no device is listed whose keys came meanwhile and are not in its manifest',
    async (nth) => {
      const [slow, other] = nodes as [Node, Node];
      const waiting = deviceId(ALICE, 7);
      const terms = { maximum: 10, now: NOW };
      await other.store.waiting.register(waiting, 'c25519', bundle(1), [], terms);
      const identities = [{ suite: 'c25519' as const, identityKey: bundle(1).identityKey }];
      const admitted = { id: waiting, identities, loginKey: new Uint8Array(0), addedAt: NOW };
      const writing = pauseAt(other, 2);
      const registering = other.store.waiting.register(waiting, 'c448', bundle(5), [], terms).then(
        () => true,
        () => false,
      );
      await writing.reached;
      const committing = pauseAt(slow, nth);
      const outcome = slow.store.manifests.publish(ALICE, manifest(2), [device(ALICE, 1), admitted], NOW).then(
        () => 'listed',
        () => 'refused',
      );
      // It may have fewer steps.
      await Promise.race([committing.reached, outcome]);
      writing.go();
      const registered = await registering;
      committing.go();
      expect(await outcome).toBe(registered ? 'refused' : 'listed');
    },
  );
});
