import { describe, expect, it } from '@jest/globals';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { Room } from '../port.ts';
import {
  ALICE,
  accepted,
  BOB,
  bytes,
  deviceId,
  eachWithStore,
  LIFE_MS,
  MANY,
  mail,
  messageId,
  NOW,
  type OpenStore,
  people,
  REPEATED,
  ROOMY,
  readAll,
  seqsIn,
  upTo,
} from './fixture.ts';

const { ms: REMEMBERED_MS } = ROOMY.memory;

export function appendContract(open: OpenStore): void {
  describe('append', () => {
    let phone: DeviceId;
    let laptop: DeviceId;
    let bob: DeviceId;
    const store = eachWithStore(open, () => {
      phone = deviceId(ALICE, 1);
      laptop = deviceId(ALICE, 2);
      bob = deviceId(BOB, 1);
    });
    const append = (...batch: Parameters<typeof mail>[]) =>
      store().mailboxes.append(
        batch.map((args) => mail(...args)),
        ROOMY,
      );

    it('keeps the shared pieces and then those of each recipient, one after the other', async () => {
      await people(store(), ALICE, 2);
      const message = {
        ...mail(1, bob, []),
        shared: [Uint8Array.of(1, 2), Uint8Array.of(3)],
        recipients: [
          { device: phone, own: [Uint8Array.of(9)] },
          { device: laptop, own: [Uint8Array.of(8), new Uint8Array(0), Uint8Array.of(8)] },
        ],
      };
      expect(await store().mailboxes.append([message], ROOMY)).toEqual([accepted(1, 1)]);
      expect((await readAll(store(), phone)).mails).toEqual([{ seq: 1, at: NOW, bytes: Uint8Array.of(1, 2, 3, 9) }]);
      expect((await readAll(store(), laptop)).mails).toEqual([
        { seq: 1, at: NOW, bytes: Uint8Array.of(1, 2, 3, 8, 8) },
      ]);
    });

    it('takes a message without recipients, and knows its id from then on', async () => {
      await people(store(), ALICE, 1);
      const append = (digest: number, to: readonly DeviceId[] = []) =>
        store().mailboxes.append([mail(1, bob, to, { digest }), mail(2, bob, [phone])], ROOMY);
      expect(await append(1)).toEqual([accepted(), accepted(1)]);
      expect(await append(1, [phone])).toEqual([REPEATED, REPEATED]);
      expect(await append(9)).toEqual([{ status: 'conflict' }, REPEATED]);
      expect(await seqsIn(store(), phone)).toEqual([1]);
    });

    it('numbers the messages of a mailbox by one, in the order of acceptance, whatever else happens', async () => {
      await people(store(), ALICE, 2);
      expect(await append([1, bob, [phone]], [2, bob, [phone, laptop]], [3, bob, [phone]])).toEqual([
        accepted(1),
        accepted(2, 1),
        accepted(3),
      ]);
      await store().mailboxes.acknowledge([upTo(phone, 3)]);
      expect(
        await append([4, bob, [phone]], [5, bob, [deviceId(BOB, 9)]], [4, bob, [phone]], [6, bob, [phone]]),
      ).toEqual([accepted(4), { status: 'unknown', devices: [deviceId(BOB, 9)] }, REPEATED, accepted(5)]);
      expect(await readAll(store(), phone)).toMatchObject({ mails: [{ seq: 4 }, { seq: 5 }], settledSeq: 5 });
    });

    it('keeps what is too large for a page, and what is empty', async () => {
      await people(store(), ALICE, 1);
      await append(
        [1, bob, [phone], { size: 300_000 }],
        [2, bob, [phone], { size: 0 }],
        [3, bob, [phone], { size: 96 * 1024 }],
      );
      const { mails } = await readAll(store(), phone);
      expect(mails.map((one) => one.bytes.length)).toEqual([300_000, 0, 96 * 1024]);
      for (const { seq, bytes: body } of mails) expect(body.every((byte) => byte === seq)).toBe(true);
    });

    it('keeps a thousand messages of one batch for one mailbox', async () => {
      await people(store(), ALICE, 1);
      const batch = Array.from({ length: 1_000 }, (_, i) => mail(i, bob, [phone], { size: 100 + (i % 50) }));
      const results = await store().mailboxes.append(batch, ROOMY);
      expect(results.map((result) => (result.status === 'accepted' ? result.seqs[0] : 0))).toEqual(
        batch.map((_, i) => i + 1),
      );
      const { mails } = await readAll(store(), phone);
      expect(mails.map((one) => one.bytes)).toEqual(batch.map((_, i) => bytes(i, 100 + (i % 50))));
    });

    it('gives one message to a device as often as it is named', async () => {
      await people(store(), ALICE, 1);
      expect(await append([1, bob, [phone, phone]])).toEqual([accepted(1, 2)]);
    });

    it('A25: accepts a message to nobody, and knows it again', async () => {
      expect(await append([1, bob, []])).toEqual([accepted()]);
      expect(await append([1, bob, []])).toEqual([REPEATED]);
    });

    it('appends nothing for an empty batch', async () => {
      expect(await store().mailboxes.append([], ROOMY)).toEqual([]);
    });

    it('gives a message to nobody when a recipient does not exist', async () => {
      await people(store(), ALICE, 2);
      await store().devices.remove(laptop, NOW);
      expect(await append([1, bob, [phone, laptop, bob]])).toEqual([{ status: 'unknown', devices: [laptop, bob] }]);
      expect(await readAll(store(), phone)).toEqual({ mails: [], end: true, settledSeq: 0 });
      expect(await append([1, bob, [phone]])).toEqual([accepted(1)]);
    });

    it('A10: knows a repeat: in its batch, in a later one, and after the acknowledgement; nothing is stored', async () => {
      await people(store(), ALICE, 1);
      expect(await append([1, bob, [phone]], [1, bob, [phone]])).toEqual([accepted(1), REPEATED]);
      expect(await append([1, bob, [phone]])).toEqual([REPEATED]);
      await store().mailboxes.acknowledge([upTo(phone, 1)]);
      expect(await append([1, bob, [phone]])).toEqual([REPEATED]);
      expect(await readAll(store(), phone)).toEqual({ mails: [], end: true, settledSeq: 1 });
    });

    it('A10: stores one of the same message five times in parallel', async () => {
      await people(store(), ALICE, 1);
      const results = (await Promise.all(Array.from({ length: 5 }, () => append([1, bob, [phone]])))).flat();
      expect(results.map(({ status }) => status).sort()).toEqual([
        'accepted',
        'repeated',
        'repeated',
        'repeated',
        'repeated',
      ]);
      expect(await seqsIn(store(), phone)).toEqual([1]);
    });

    it('A11: same id, other content: conflict, in its batch and later, and nothing is stored', async () => {
      await people(store(), ALICE, 1);
      expect(await append([1, bob, [phone]], [1, bob, [phone], { digest: 9 }])).toEqual([
        accepted(1),
        { status: 'conflict' },
      ]);
      expect(await append([1, bob, [phone], { digest: 8 }])).toEqual([{ status: 'conflict' }]);
      expect(await seqsIn(store(), phone)).toEqual([1]);
    });

    it('tells digests apart by every byte and by their length', async () => {
      await people(store(), ALICE, 1);
      const digest = bytes(5);
      await store().mailboxes.append([{ ...mail(1, bob, [phone]), digest }], ROOMY);
      const last = digest.slice();
      last[31] = 6;
      for (const other of [last, digest.slice(0, 31), new Uint8Array(0)])
        expect(await store().mailboxes.append([{ ...mail(1, bob, [phone]), digest: other }], ROOMY)).toEqual([
          { status: 'conflict' },
        ]);
    });

    it('does not confuse the same id of two senders', async () => {
      await people(store(), ALICE, 2);
      expect(await append([1, bob, [phone]], [1, laptop, [phone]])).toEqual([accepted(1), accepted(2)]);
      expect(await append([1, laptop, [phone]], [1, bob, [phone]])).toEqual([REPEATED, REPEATED]);
    });

    it('says repeated even when the recipient has gone meanwhile', async () => {
      await people(store(), ALICE, 1);
      await append([1, bob, [phone]]);
      await store().devices.remove(phone, NOW);
      expect(await append([1, bob, [phone]])).toEqual([REPEATED]);
    });

    it('remembers ids as long as it was told to, whatever is swept', async () => {
      await people(store(), ALICE, 1);
      await append([1, bob, [phone]]);
      await store().mailboxes.expire(NOW + REMEMBERED_MS, MANY);
      expect(await append([1, bob, [phone], { at: NOW + REMEMBERED_MS }])).toEqual([REPEATED]);
    });

    it('remembers as many ids as it was told to', async () => {
      await people(store(), ALICE, 1);
      const limits = { ...ROOMY, memory: { ...ROOMY.memory, messages: 50 } };
      for (let n = 1; n <= 50; n++) await store().mailboxes.append([mail(n, bob, [phone])], limits);
      expect(await store().mailboxes.append([mail(1, bob, [phone])], limits)).toEqual([REPEATED]);
    });

    it('A10: completes what an attempt of unknown outcome left undone, whatever it did', async () => {
      await people(store(), ALICE, 2);
      const message = mail(1, bob, [phone, laptop]);
      await Promise.allSettled([
        store().mailboxes.append([message], ROOMY),
        store().mailboxes.append([message], ROOMY),
        store().mailboxes.append([message], ROOMY),
      ]);
      for (const device of [phone, laptop]) expect((await readAll(store(), device)).mails).toHaveLength(1);
    });

    it('copies what comes in', async () => {
      await people(store(), ALICE, 1);
      const mine = mail(1, bob, [phone]);
      const appended = store().mailboxes.append([mine], ROOMY);
      for (const array of [mine.id, mine.digest, ...mine.shared, ...(mine.recipients[0]?.own ?? [])]) array.fill(255);
      await appended;
      expect((await readAll(store(), phone)).mails).toEqual([{ seq: 1, at: NOW, bytes: bytes(1, 10) }]);
      expect(await append([1, bob, [phone]])).toEqual([REPEATED]);
    });

    it('finds an id among thousands', async () => {
      await people(store(), ALICE, 1);
      for (let batch = 0; batch < 10; batch++)
        await store().mailboxes.append(
          Array.from({ length: 500 }, (_, i) => mail(batch * 500 + i, bob, [])),
          ROOMY,
        );
      const again = [0, 1, 499, 500, 2_500, 4_999, 5_000].map((n) => ({ ...mail(n, bob, []), id: messageId(n) }));
      expect((await store().mailboxes.append(again, ROOMY)).map(({ status }) => status)).toEqual([
        ...Array.from({ length: 6 }, () => 'repeated'),
        'accepted',
      ]);
    });
  });

  describe('a full mailbox', () => {
    let phone: DeviceId;
    let laptop: DeviceId;
    let bob: DeviceId;
    const store = eachWithStore(open, () => {
      phone = deviceId(ALICE, 1);
      laptop = deviceId(ALICE, 2);
      bob = deviceId(BOB, 1);
    });
    const REFUSE = { ...ROOMY, messages: 3, bytes: 100 };
    const TRIM = { ...REFUSE, whenFull: 'trim' as const };

    it('A20: refuse: takes the last message that fits by number, and not one more', async () => {
      await people(store(), ALICE, 2);
      const first = [1, 2, 3, 4].map((n) => mail(n, bob, [phone]));
      expect(await store().mailboxes.append(first, REFUSE)).toEqual([
        accepted(1),
        accepted(2),
        accepted(3),
        { status: 'full', devices: [phone] },
      ]);
      await store().mailboxes.acknowledge([upTo(phone, 1)]);
      expect(await store().mailboxes.append([mail(4, bob, [phone])], REFUSE)).toEqual([accepted(4)]);
      expect((await readAll(store(), phone)).gap).toBeUndefined();
    });

    it('A20: refuse: keeps the message from nobody else, names the device, and says the same of a repeat', async () => {
      await people(store(), ALICE, 2);
      await store().mailboxes.append(
        [1, 2, 3].map((n) => mail(n, bob, [phone])),
        REFUSE,
      );
      const message = mail(4, bob, [phone, laptop]);
      expect(await store().mailboxes.append([message], REFUSE)).toEqual([
        { status: 'accepted', seqs: [0, 1], refused: [phone] },
      ]);
      await store().mailboxes.acknowledge([upTo(phone, 3)]);
      expect(await store().mailboxes.append([message], REFUSE)).toEqual([{ status: 'repeated', refused: [phone] }]);
      expect(await seqsIn(store(), phone)).toEqual([]);
      expect(await seqsIn(store(), laptop)).toEqual([1]);
    });

    it('A20: refuse: a message that nobody took may be tried again', async () => {
      await people(store(), ALICE, 1);
      await store().mailboxes.append(
        [1, 2, 3].map((n) => mail(n, bob, [phone])),
        REFUSE,
      );
      const message = mail(4, bob, [phone]);
      expect(await store().mailboxes.append([message], REFUSE)).toEqual([{ status: 'full', devices: [phone] }]);
      await store().mailboxes.acknowledge([upTo(phone, 1)]);
      expect(await store().mailboxes.append([message], REFUSE)).toEqual([accepted(4)]);
    });

    it('A20: refuse: takes the last byte that fits, and not one more', async () => {
      await people(store(), ALICE, 1);
      await store().mailboxes.append([mail(1, bob, [phone], { size: 60 })], REFUSE);
      expect(await store().mailboxes.append([mail(2, bob, [phone], { size: 41 })], REFUSE)).toEqual([
        { status: 'full', devices: [phone] },
      ]);
      expect(await store().mailboxes.append([mail(3, bob, [phone], { size: 40 })], REFUSE)).toEqual([accepted(2)]);
      expect(await store().mailboxes.usage(phone)).toEqual({ messages: 2, bytes: 100 });
    });

    it('names every full one once', async () => {
      await people(store(), ALICE, 2);
      const huge = mail(1, bob, [phone, laptop, phone], { size: 101 });
      expect(await store().mailboxes.append([huge], REFUSE)).toEqual([{ status: 'full', devices: [phone, laptop] }]);
    });

    it('counts a device that is named twice twice', async () => {
      await people(store(), ALICE, 1);
      expect(await store().mailboxes.append([mail(1, bob, [phone, phone], { size: 51 })], REFUSE)).toEqual([
        { status: 'full', devices: [phone] },
      ]);
      expect(await store().mailboxes.append([mail(1, bob, [phone, phone], { size: 50 })], REFUSE)).toEqual([
        accepted(1, 2),
      ]);
    });

    it('A20: trim: loses the oldest by number, exactly as many as needed, and says so', async () => {
      await people(store(), ALICE, 1);
      for (let n = 1; n <= 3; n++) await store().mailboxes.append([mail(n, bob, [phone])], TRIM);
      expect((await readAll(store(), phone)).gap).toBeUndefined();
      expect(await store().mailboxes.append([mail(4, bob, [phone]), mail(5, bob, [phone])], TRIM)).toEqual([
        accepted(4),
        accepted(5),
      ]);
      expect(await readAll(store(), phone)).toMatchObject({
        mails: [{ seq: 3 }, { seq: 4 }, { seq: 5 }],
        gap: { count: 2, fromSeq: 1, toSeq: 2, reason: 'trimmed' },
        settledSeq: 5,
      });
    });

    it('A20: trim: loses the oldest by bytes, exactly as many as needed', async () => {
      await people(store(), ALICE, 1);
      for (let n = 1; n <= 2; n++) await store().mailboxes.append([mail(n, bob, [phone], { size: 40 })], TRIM);
      await store().mailboxes.append([mail(3, bob, [phone], { size: 60 })], TRIM);
      expect(await store().mailboxes.usage(phone)).toEqual({ messages: 2, bytes: 100 });
      await store().mailboxes.append([mail(4, bob, [phone], { size: 1 })], TRIM);
      expect(await readAll(store(), phone)).toMatchObject({
        mails: [{ seq: 3 }, { seq: 4 }],
        gap: { count: 2, fromSeq: 1, toSeq: 2, reason: 'trimmed' },
      });
    });

    it('trims within one batch what the batch itself brought', async () => {
      await people(store(), ALICE, 1);
      const batch = Array.from({ length: 10 }, (_, i) => mail(i, bob, [phone]));
      expect(await store().mailboxes.append(batch, TRIM)).toEqual(batch.map((_, i) => accepted(i + 1)));
      expect(await readAll(store(), phone)).toMatchObject({
        mails: [{ seq: 8 }, { seq: 9 }, { seq: 10 }],
        gap: { count: 7, fromSeq: 1, toSeq: 7, reason: 'trimmed' },
      });
    });

    it('refuse: a recipient’s own room holds in the place of the limits’, and for nobody else', async () => {
      await people(store(), ALICE, 2);
      const roomy = { messages: 10_000, bytes: 1_000_000 };
      const send = (n: number, room: Room, size = 10) => {
        const message = mail(n, bob, [phone, laptop], { size });
        const [first, second] = message.recipients;
        return store().mailboxes.append([{ ...message, recipients: [{ ...first!, room }, second!] }], REFUSE);
      };
      await send(1, roomy);
      expect(await send(2, { messages: 1, bytes: 100 })).toMatchObject([{ status: 'accepted', refused: [phone] }]);
      expect(await send(3, { messages: 3, bytes: 40 }, 31)).toMatchObject([{ status: 'accepted', refused: [phone] }]);
      // The third of the laptop's, which has only the limits.
      expect(await send(4, roomy)).toMatchObject([{ status: 'accepted', refused: [laptop] }]);
      expect(await store().mailboxes.usage(phone)).toEqual({ messages: 2, bytes: 20 });
    });

    it('trim: a room that has become smaller is made room for, and a gap tells so', async () => {
      await people(store(), ALICE, 1);
      for (let n = 1; n <= 3; n++) await store().mailboxes.append([mail(n, bob, [phone])], TRIM);
      const message = mail(4, bob, [phone]);
      const recipients = message.recipients.map((recipient) => ({ ...recipient, room: { messages: 2, bytes: 100 } }));
      expect(await store().mailboxes.append([{ ...message, recipients }], TRIM)).toEqual([accepted(4)]);
      expect(await readAll(store(), phone)).toMatchObject({
        mails: [{ seq: 3 }, { seq: 4 }],
        gap: { count: 2, fromSeq: 1, toSeq: 2, reason: 'trimmed' },
      });
    });

    it('trim: a flood of seventeen accounts loses theirs before a friend loses one message', async () => {
      await people(store(), ALICE, 1);
      const limits = { ...TRIM, messages: 40, bytes: 1_000_000 };
      const friend = mail(1, bob, [phone]);
      await store().mailboxes.append([friend], limits);
      const flooders = Array.from({ length: 17 }, (_, i) => deviceId(`${BOB}${i}` as AccountAddress, 1));
      for (let n = 0; n < 20; n++)
        await store().mailboxes.append(
          flooders.map((flooder) => mail(100 + n, flooder, [phone])),
          limits,
        );
      const { mails, gap } = await readAll(store(), phone);
      expect(mails).toHaveLength(40);
      expect(mails[0]).toMatchObject({ seq: 1, bytes: bytes(1, 10) });
      expect(gap).toMatchObject({ count: 301, fromSeq: 2, reason: 'trimmed' });
    });

    it('trim: the account counts, not its devices, and not the one that writes', async () => {
      await people(store(), ALICE, 1);
      const limits = { ...TRIM, messages: 5 };
      const carols = deviceId(`${BOB}c` as AccountAddress, 1);
      for (const [n, sender] of [carols, carols, bob, deviceId(BOB, 2), deviceId(BOB, 3)].entries())
        await store().mailboxes.append([mail(n, sender, [phone])], limits);
      await store().mailboxes.append([mail(9, carols, [phone])], limits);
      // Bob's oldest has gone: three messages from three devices against two.
      expect(await seqsIn(store(), phone)).toEqual([1, 2, 4, 5, 6]);
    });

    it('trim: the share of the bytes counts like that of the messages', async () => {
      await people(store(), ALICE, 1);
      const carols = deviceId(`${BOB}c` as AccountAddress, 1);
      const limits = { ...TRIM, messages: 10 };
      await store().mailboxes.append([mail(1, carols, [phone], { size: 30 })], limits);
      await store().mailboxes.append([mail(2, carols, [phone], { size: 30 })], limits);
      for (let n = 3; n <= 5; n++) await store().mailboxes.append([mail(n, bob, [phone], { size: 13 })], limits);
      await store().mailboxes.append([mail(6, bob, [phone], { size: 13 })], limits);
      expect(await seqsIn(store(), phone)).toEqual([2, 3, 4, 5, 6]);
    });

    it('trim: of equal shares the oldest message of all goes', async () => {
      await people(store(), ALICE, 1);
      const carols = deviceId(`${BOB}c` as AccountAddress, 1);
      const limits = { ...TRIM, messages: 4 };
      for (const [n, sender] of [carols, bob, bob, carols].entries())
        await store().mailboxes.append([mail(n, sender, [phone])], limits);
      await store().mailboxes.append([mail(9, bob, [phone])], limits);
      expect(await seqsIn(store(), phone)).toEqual([2, 3, 4, 5]);
    });

    it('trims out of the middle, and what is left is read, acknowledged and counted as before', async () => {
      await people(store(), ALICE, 1);
      const limits = { ...TRIM, messages: 300, bytes: 1_000_000 };
      const carols = deviceId(`${BOB}c` as AccountAddress, 1);
      for (let n = 0; n < 300; n += 3)
        await store().mailboxes.append(
          [mail(n, carols, [phone]), mail(n + 1, bob, [phone]), mail(n + 2, bob, [phone])],
          limits,
        );
      await store().mailboxes.append(
        Array.from({ length: 50 }, (_, i) => mail(1_000 + i, bob, [phone])),
        limits,
      );
      const seqs = await seqsIn(store(), phone);
      expect(seqs.slice(0, 3)).toEqual([1, 4, 7]);
      expect(seqs).toHaveLength(300);
      await store().mailboxes.acknowledge([upTo(phone, 76)]);
      expect(await store().mailboxes.usage(phone)).toEqual({ messages: 274, bytes: 2_740 });
      expect((await readAll(store(), phone)).gap).toBeUndefined();
    });

    it('refuses under either policy a message that an empty mailbox could not hold, and loses nothing for it', async () => {
      await people(store(), ALICE, 1);
      await store().mailboxes.append([mail(1, bob, [phone])], TRIM);
      expect(await store().mailboxes.append([mail(2, bob, [phone], { size: 101 })], TRIM)).toEqual([
        { status: 'full', devices: [phone] },
      ]);
      expect(await seqsIn(store(), phone)).toEqual([1]);
    });

    it('A20: trim: leaves out only whom the message is too large for', async () => {
      await people(store(), ALICE, 2);
      await store().mailboxes.append(
        [1, 2, 3].map((n) => mail(n, bob, [phone])),
        TRIM,
      );
      const uneven = {
        ...mail(4, bob, []),
        recipients: [
          { device: phone, own: [bytes(4, 1)] },
          { device: laptop, own: [bytes(4, 101)] },
        ],
      };
      expect(await store().mailboxes.append([uneven], TRIM)).toEqual([
        { status: 'accepted', seqs: [4, 0], refused: [laptop] },
      ]);
      expect(await seqsIn(store(), phone)).toEqual([2, 3, 4]);
    });

    it('makes room with what is expired, though no sweep has come: a gap instead of a refusal', async () => {
      await people(store(), ALICE, 1);
      await store().mailboxes.append(
        [1, 2, 3].map((n) => mail(n, bob, [phone])),
        REFUSE,
      );
      const late = mail(4, bob, [phone], { at: NOW + LIFE_MS });
      expect(await store().mailboxes.append([late], REFUSE)).toEqual([{ status: 'full', devices: [phone] }]);
      expect(await store().mailboxes.append([{ ...late, at: NOW + LIFE_MS + 1 }], REFUSE)).toEqual([accepted(4)]);
      expect(
        await store().mailboxes.read(phone, { after: 0, messages: 10, bytes: 1_000, horizon: NOW + 1 }),
      ).toMatchObject({
        mails: [{ seq: 4 }],
        gap: { count: 3, fromSeq: 1, toSeq: 3, reason: 'expired' },
      });
    });
  });
}
