import { describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import {
  ALICE,
  appendAll,
  BOB,
  bytes,
  deviceId,
  eachWithStore,
  LIFE_MS,
  mail,
  NOW,
  type OpenStore,
  people,
  ROOMY,
  readAll,
  upTo,
} from './fixture.ts';

const ALL = 1 << 30;

export function readContract(open: OpenStore): void {
  describe('read', () => {
    let phone: DeviceId;
    let bob: DeviceId;
    const store = eachWithStore(open, () => {
      phone = deviceId(ALICE, 1);
      bob = deviceId(BOB, 1);
    });
    const read = async (after: number, maxMessages: number, maxBytes: number) => {
      const { mails, end } = await store().mailboxes.read(phone, {
        after,
        messages: maxMessages,
        bytes: maxBytes,
        horizon: NOW - LIFE_MS,
      });
      return { seqs: mails.map(({ seq }) => seq), end };
    };

    it('gives an empty page of an empty mailbox, and of one that does not exist', async () => {
      await people(store(), ALICE, 1);
      for (const device of [phone, bob])
        expect(await readAll(store(), device)).toEqual({ mails: [], end: true, settledSeq: 0 });
      expect(await store().mailboxes.usage(bob)).toEqual({ messages: 0, bytes: 0 });
    });

    it('A23: pages by number, ascending, and says when nothing follows', async () => {
      await people(store(), ALICE, 1);
      await appendAll(store(), 1, 5, bob, phone);
      expect(await read(0, 2, ALL)).toEqual({ seqs: [1, 2], end: false });
      expect(await read(2, 2, ALL)).toEqual({ seqs: [3, 4], end: false });
      expect(await read(4, 2, ALL)).toEqual({ seqs: [5], end: true });
      expect(await read(3, 2, ALL)).toEqual({ seqs: [4, 5], end: true });
      expect(await read(5, 2, ALL)).toEqual({ seqs: [], end: true });
      expect(await read(99, 2, ALL)).toEqual({ seqs: [], end: true });
    });

    it('pages by bytes, exact on both sides, but gives at least one message', async () => {
      await people(store(), ALICE, 1);
      await store().mailboxes.append(
        [1, 2, 3].map((n) => mail(n, bob, [phone], { size: 50 })),
        ROOMY,
      );
      expect(await read(0, 100, 100)).toEqual({ seqs: [1, 2], end: false });
      expect(await read(0, 100, 99)).toEqual({ seqs: [1], end: false });
      expect(await read(0, 100, 1)).toEqual({ seqs: [1], end: false });
      expect(await read(2, 100, 0)).toEqual({ seqs: [3], end: true });
      expect(await read(0, 0, ALL)).toEqual({ seqs: [1], end: false });
    });

    it('tells the newest number ever given out, though all is acknowledged', async () => {
      await people(store(), ALICE, 1);
      await appendAll(store(), 1, 3, bob, phone);
      await store().mailboxes.acknowledge([upTo(phone, 3)]);
      expect(await readAll(store(), phone)).toEqual({ mails: [], end: true, settledSeq: 3 });
    });

    it('C08: skips what is expired, though no sweep has come, and tells of it as a gap', async () => {
      await people(store(), ALICE, 1);
      await store().mailboxes.append([mail(1, bob, [phone]), mail(2, bob, [phone], { at: NOW + 5 })], ROOMY);
      expect(await store().mailboxes.read(phone, { after: 0, messages: 10, bytes: ALL, horizon: NOW })).toMatchObject({
        mails: [{ seq: 1 }, { seq: 2 }],
      });
      expect(await store().mailboxes.read(phone, { after: 0, messages: 10, bytes: ALL, horizon: NOW + 1 })).toEqual({
        mails: [{ seq: 2, at: NOW + 5, bytes: bytes(2, 10) }],
        gap: { count: 1, fromSeq: 1, toSeq: 1, reason: 'expired' },
        end: true,
        settledSeq: 2,
      });
    });

    it('says end when only expired ones follow', async () => {
      await people(store(), ALICE, 1);
      await store().mailboxes.append([mail(1, bob, [phone], { at: NOW + 5 }), mail(2, bob, [phone])], ROOMY);
      expect(
        await store().mailboxes.read(phone, { after: 0, messages: 1, bytes: ALL, horizon: NOW + 1 }),
      ).toMatchObject({
        mails: [{ seq: 1 }],
        end: true,
      });
    });

    it('drains a deep mailbox page by page, in order, each message once', async () => {
      await people(store(), ALICE, 1);
      for (let batch = 0; batch < 60; batch++)
        await store().mailboxes.append(
          [1, 2, 3, 4, 5].map((i) => mail(batch * 5 + i, bob, [phone], { size: 700 })),
          ROOMY,
        );
      const seen: number[] = [];
      for (let end = false; !end; ) {
        const page = await store().mailboxes.read(phone, {
          after: seen.at(-1) ?? 0,
          messages: 7,
          bytes: ALL,
          horizon: NOW - LIFE_MS,
        });
        for (const { seq, bytes: content } of page.mails) {
          expect(content).toEqual(bytes(seq, 700));
          seen.push(seq);
        }
        end = page.end;
        if (seen.length % 3 === 0) await store().mailboxes.acknowledge([upTo(phone, seen.at(-1) ?? 0)]);
      }
      expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    });

    it('hands out copies', async () => {
      await people(store(), ALICE, 1);
      await appendAll(store(), 1, 1, bob, phone);
      const page = await readAll(store(), phone);
      page.mails[0]?.bytes.fill(255);
      await appendAll(store(), 2, 2, bob, phone);
      expect((await readAll(store(), phone)).mails[0]?.bytes).toEqual(bytes(1, 10));
    });
  });
}
