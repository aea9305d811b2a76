/** What goes to devices directly is held to the policy of trust, where it is shown to somebody. */
import { expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { DeviceAuthority } from '../accounts/device-authority.ts';
import type { PeerBook } from '../accounts/peer-book.ts';
import { readPeer } from '../accounts/peer-record.ts';
import { ClientTrustPolicy } from '../accounts/trust-policy.ts';
import type { Engines } from '../engines/engines.ts';
import { ALICE, BOB, ME } from '../testing/chain-world.ts';
import { DESK, ReceiptWorld } from '../testing/receipt-world.ts';
import { DirectSender } from './direct-sender.ts';
import type { InFlight } from './in-flight.ts';

function directSender({ ledger }: ReceiptWorld, sealed: string[], authority?: DeviceAuthority): DirectSender {
  return new DirectSender({
    book: { find: (address) => readPeer(ledger, address) } as Partial<PeerBook> as PeerBook,
    engines: {
      seal: async () => {
        sealed.push('sealed');
        return { engine: 'lime', parts: [], cipherMessage: new Uint8Array(0) };
      },
    } as unknown as Engines,
    context: { records: ledger } as never,
    inFlight: { send: async () => ({ kind: 'accepted', leftOut: [] }) } as unknown as InFlight,
    transmit: () => undefined,
    me: ME,
    random: (length) => new Uint8Array(length),
    authority,
  });
}

it('T170: what is sent again to a device that is not trusted any more stays here; a receipt does not', async () => {
  const world = await ReceiptWorld.open();
  const { ledger } = world;
  const sealed: string[] = [];
  const direct = directSender(world, sealed);
  const { signal } = new AbortController();
  const message = { to: BOB, devices: [DESK], content: new Uint8Array(1) };
  const policy = new ClientTrustPolicy(ledger, () => BOB);
  await policy.set('trusted-only');
  await expect(direct.send({ ...message, shown: true }, signal)).rejects.toMatchObject({ code: 'untrusted-device' });
  expect(sealed).toEqual([]);
  expect(await direct.send({ ...message, shown: false }, signal)).toBe('accepted');
  await world.trusts('trusted', DESK);
  expect(await direct.send({ ...message, shown: true }, signal)).toBe('accepted');
  // Our own devices are ours.
  await expect(direct.send({ ...message, to: ALICE, devices: [ME], shown: true }, signal)).resolves.toBe('accepted');
});

it('T188: what is sent again to an account that is not certified stays here; a receipt does not', async () => {
  const crypto = nodeCrypto();
  const publicKey = crypto.ed25519.publicKey(new Uint8Array(32).fill(1));
  const sealed: string[] = [];
  const authority = new DeviceAuthority({ crypto, now: () => 1, own: ALICE, publicKey });
  const direct = directSender(await ReceiptWorld.open(), sealed, authority);
  const { signal } = new AbortController();
  const message = { to: BOB, devices: [DESK], content: new Uint8Array(1) };
  await expect(direct.send({ ...message, shown: true }, signal)).rejects.toMatchObject({ code: 'uncertified-account' });
  expect(sealed).toEqual([]);
  expect(await direct.send({ ...message, shown: false }, signal)).toBe('accepted');
  await expect(direct.send({ ...message, to: ALICE, devices: [ME], shown: true }, signal)).resolves.toBe('accepted');
});
