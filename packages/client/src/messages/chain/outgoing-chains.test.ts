import { beforeEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { deviceTag } from '@sealwire/wire/chain';
import { decodeContent, encodeContent } from '@sealwire/wire/envelope';
import type { DeviceId } from '@sealwire/wire/ids';
import { BOB, deviceOf, ME, Sender } from '../../testing/chain-world.ts';
import { UNCONFIRMED } from './outgoing-chains.ts';

const phone = deviceOf('bob', 1);
const tablet = deviceOf('bob', 2);
const crypto = nodeCrypto();
let sender: Sender;

beforeEach(async () => {
  sender = new Sender();
  await sender.open();
});

/** Sends message `id`; answers its content. */
async function send(id: string, devices: readonly DeviceId[], leftOut: readonly DeviceId[] = []) {
  const { ledger, chains } = sender;
  const plain = encodeContent({ type: 'text/plain', body: new Uint8Array(1), sentAt: 1, id });
  const plaintext = chains.compose(BOB, plain, devices, []);
  (await ledger.commit((transaction) => chains.sealed(transaction, BOB, plaintext, devices, [phone, tablet])))();
  const content = decodeContent(plaintext);
  (await ledger.commit((transaction) => chains.accepted(transaction, BOB, content, leftOut)))();
  return content;
}

const receipt = (
  number: number,
  digest: Uint8Array = new Uint8Array(16),
  missing: { first: number; last: number }[] = [],
) => ({
  device: deviceTag(crypto, ME),
  number,
  digest,
  missing,
  displayed: 0,
});

describe('what is not confirmed', () => {
  it('is bounded: the oldest are forgotten, in memory and storage', async () => {
    for (let n = 0; n < UNCONFIRMED + 10; n++) await send(`m${n}`, [phone]);
    const ids = sender.chains.unconfirmed(BOB).map(({ id }) => id);
    expect([ids.length, ids[0]]).toEqual([UNCONFIRMED, 'm10']);
    expect(sender.ledger.keys('sent/')).toHaveLength(UNCONFIRMED);
    await sender.open();
    expect(sender.chains.unconfirmed(BOB).map(({ id }) => id)).toEqual(ids);
  });

  it('does not wait for devices without room', async () => {
    await send('a', [phone, tablet], [tablet]);
    expect(sender.chains.unconfirmed(BOB)).toEqual([{ id: 'a', devices: [phone] }]);
  });

  it('is told as not arrived once, and as arrived when it comes late', async () => {
    await send('a', [phone]);
    await send('b', [phone]);
    const { link } = await send('c', [phone]);
    const missing = [{ first: 1, last: 1 }];
    const second = await sender.confirmed(BOB, phone, [receipt(2, link!.previous!.digest, missing)]);
    expect(second).toEqual({ ids: ['b'], events: [{ kind: 'not-arrived', to: BOB, device: phone, ids: ['a'] }] });
    expect(await sender.confirmed(BOB, phone, [receipt(2, link!.previous!.digest, missing)])).toEqual({
      ids: [],
      events: [],
    });
    expect(await sender.confirmed(BOB, phone, [receipt(2, link!.previous!.digest)])).toEqual({
      ids: ['a'],
      events: [],
    });
  });

  it('of another device’s chain is none of ours', async () => {
    await send('a', [phone]);
    const other = { ...receipt(1), device: deviceTag(crypto, deviceOf('alice', 2)) };
    expect(await sender.confirmed(BOB, phone, [other])).toEqual({ ids: [], events: [] });
  });
});

describe('a receipt of what we did not write', () => {
  it('is a fork of our own chain, told once for each number', async () => {
    await send('a', [phone]);
    const fork = (number: number) => [{ kind: 'fork', device: ME, conversation: BOB, number, seenBy: phone }];
    expect((await sender.confirmed(BOB, phone, [receipt(1)])).events).toEqual(fork(1));
    expect((await sender.confirmed(BOB, phone, [receipt(1)])).events).toEqual([]);
    expect((await sender.confirmed(BOB, phone, [receipt(5)])).events).toEqual(fork(5));
    expect((await sender.confirmed(BOB, phone, [receipt(4)])).events).toEqual([]);
    expect(sender.chains.unconfirmed(BOB)).toHaveLength(1);
  });
});

describe('who is new', () => {
  it('is named until a message for it was accepted', async () => {
    const names = async (id: string, devices: readonly DeviceId[]) => (await send(id, devices)).link!.newcomers;
    expect(await names('a', [phone])).toEqual([deviceTag(crypto, phone)]);
    expect(await names('b', [phone, tablet])).toEqual([deviceTag(crypto, tablet)]);
    expect(await names('c', [phone])).toEqual([]);
    // Left out for a while is not new: it must see what it did not get.
    expect(await names('d', [phone, tablet])).toEqual([]);
  });
});
