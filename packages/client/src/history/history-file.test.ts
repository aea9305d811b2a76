/** Exports and imports: docs/spec/history.md section 5. */
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ALICE, BOB, CAROL, from, HistoryWorld, PASSPHRASE } from '../testing/history-world.ts';

jest.setTimeout(30_000);

let world: HistoryWorld;
let other: HistoryWorld;

beforeEach(async () => {
  world = await HistoryWorld.open();
  other = await HistoryWorld.open();
  for (let i = 0; i < 130; i++) {
    await world.receive(`m${i}`);
    world.time.ms += 1_000;
  }
  await world.send('s', CAROL, 'to carol');
  await world.receive('picture', { type: 'image/png', body: new Uint8Array(70_000).fill(7) });
});

const importInto = (into: HistoryWorld, pieces: readonly Uint8Array[], passphrase = PASSPHRASE) =>
  into.history.import(from(pieces), passphrase);

describe('an export', () => {
  it('is put in elsewhere as it was, and nothing of it counts as unread', async () => {
    expect(await importInto(other, await world.exported())).toEqual({ added: 132, passedOver: 0 });
    for (const conversation of [BOB, CAROL]) {
      const [was, is] = await Promise.all(
        [world, other].map((each) => each.history.page(conversation, { limit: 1_000 })),
      );
      const lasts = was!.messages.map(({ state: _, ...message }) => message);
      expect(is!.messages).toEqual(lasts);
    }
    expect((await other.history.conversations()).map(({ unread }) => unread)).toEqual([0, 0]);
  });

  it('merges: what is there stays, the rest goes between by its time', async () => {
    other.time.ms = world.time.ms - 80_500;
    await other.receive('m50', { text: 'as it is here' });
    await other.receive('own');
    await other.send('s2', BOB);
    expect(await importInto(other, await world.exported())).toEqual({ added: 131, passedOver: 1 });
    const texts = await other.texts();
    expect(texts).toHaveLength(133);
    const at = texts.indexOf('text own');
    expect(texts.slice(at - 2, at + 3)).toEqual(['text m51', 'text s2', 'text own', 'as it is here', 'text m49']);
    // And once more changes nothing.
    expect(await importInto(other, await world.exported())).toEqual({ added: 0, passedOver: 132 });
    expect(await (await other.reopened()).texts()).toEqual(texts);
    expect(await other.unread()).toBe(2);
  });

  it('T182: does not hold messages that end', async () => {
    await world.receive('secret', { lifetime: 60 });
    expect(await importInto(other, await world.exported())).toEqual({ added: 132, passedOver: 0 });
    expect(await other.texts()).not.toContain('text secret');
  });

  it('T182: tells nothing without its passphrase', async () => {
    const file = Buffer.concat(await world.exported());
    for (const word of ['text m1', 'bob', 'carol', ALICE]) expect(file.includes(word)).toBe(false);
    await expect(importInto(other, [file], 'another passphrase')).rejects.toMatchObject({ code: 'wrong-passphrase' });
    await expect(async () => {
      for await (const _ of world.history.export('short')) break;
    }).rejects.toMatchObject({ code: 'bad-request' });
  });

  it.each([1, 37, 65_536, 1_000_000])('is read in pieces of %i bytes', async (bytes) => {
    const whole = Buffer.concat(await world.exported());
    // Byte by byte the beginning, which is cut in more than one place.
    const head = Array.from({ length: bytes === 1 ? 200 : 0 }, (_, i) => whole.subarray(i, i + 1));
    const rest: Uint8Array[] = [];
    const step = bytes === 1 ? 10_000 : bytes;
    for (let at = head.length; at < whole.length; at += step) rest.push(whole.subarray(at, at + step));
    expect(await importInto(other, [...head, ...rest])).toEqual({ added: 132, passedOver: 0 });
  });

  it('T182: that was changed, cut or made longer anywhere is noticed, and what was genuine stays', async () => {
    const whole = Buffer.concat(await world.exported());
    // Two segments.
    expect(whole.length).toBeGreaterThan(80_000);
    const faulty: [string, Uint8Array][] = [
      ['no export', Buffer.from('something else, of some length or other'.repeat(10))],
      ['too short', whole.subarray(0, 50)],
      ['nothing', new Uint8Array(0)],
      ['cut between segments', whole.subarray(0, 36 + 74 + 65_536)],
      ['cut at the end', whole.subarray(0, -1)],
      ['longer', Buffer.concat([whole, Buffer.from('x')])],
      ['doubled', Buffer.concat([whole, whole])],
    ];
    for (const at of [0, 19, 30, 60, 120, 70_000, whole.length - 1]) {
      const changed = Buffer.from(whole);
      changed[at] = changed[at]! ^ 1;
      faulty.push([`byte ${at}`, changed]);
    }
    for (const [what, file] of faulty) {
      const failed = await importInto(other, [file]).then(
        () => 'taken',
        ({ code }: { code: string }) => code,
      );
      expect([what, ['bad-file', 'wrong-passphrase'].includes(failed)]).toEqual([what, true]);
    }
    expect((await other.texts()).every((text) => text === undefined || /^text m\d+$/.test(text))).toBe(true);
  });

  it('T182: that asks for more memory than a key may cost is refused before it is derived', async () => {
    const whole = Buffer.concat(await world.exported());
    whole[19] = 30;
    await expect(importInto(other, [whole])).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringContaining('cost'),
    });
  });

  it('of what is nothing is a file, too', async () => {
    expect(await importInto(other, await other.exported())).toEqual({ added: 0, passedOver: 0 });
  });

  it('goes on while messages come in', async () => {
    const pieces: Uint8Array[] = [];
    let more = 0;
    for await (const piece of world.history.export(PASSPHRASE, { cost: 10 })) {
      pieces.push(piece);
      await world.receive(`later${more++}`);
    }
    const { added } = await importInto(other, pieces);
    expect(added).toBeGreaterThanOrEqual(132);
  });
});
