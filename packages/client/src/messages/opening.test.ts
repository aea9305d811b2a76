/** What a device of somebody else's shows of itself once it was decrypted (docs/spec/messages.md section 6). */
import { expect, it } from '@jest/globals';
import { type ChatMessage, writeChatMessage } from '@sealwire/cpim/chat-message';
import { nodeCrypto } from '@sealwire/crypto/node';
import { encodeContent, encodeEnvelope } from '@sealwire/wire/envelope';
import { parseAccountAddress, parseDeviceId, parseMessageId } from '@sealwire/wire/ids';
import { encodeManifest, noPreviousManifest } from '@sealwire/wire/manifest';
import { writePeer } from '../accounts/peer-record.ts';
import type { Engines } from '../engines/engines.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import type { IncomingChains } from './chain/incoming-chains.ts';
import { open } from './opening.ts';

const me = parseDeviceId('sip:alice@example.org;gr=urn:uuid:1');
const BOB = parseAccountAddress('sip:bob@example.org');
const phone = parseDeviceId(`${BOB};gr=urn:uuid:phone`);
const ALICE = parseAccountAddress('sip:alice@example.org');
const ACCEPTED_AT = 5_000;
const utf8 = (text: string) => new TextEncoder().encode(text);
const TEXT: ChatMessage = { from: phone, to: ALICE, type: 'text/plain', body: utf8('hello') };

/** What comes of a plaintext that bob's phone has encrypted. */
async function opened(plaintext: Uint8Array) {
  const ledger = await Ledger.open(new MemoryStorage());
  const identityKey = nodeCrypto().ed25519.publicKey(new Uint8Array(32));
  const identities = [{ suite: 'c25519', identityKey }] as const;
  const devices = [{ id: phone, identities, loginKey: new Uint8Array(0), addedAt: 1 }];
  const manifest = { address: BOB, version: 1, previous: noPreviousManifest(), issuedAt: 1, devices };
  const bytes = encodeManifest(manifest);
  const engines = { open: () => ({ status: 'done', value: plaintext }) } as unknown as Engines;
  const body = encodeEnvelope({ engine: 'lime', recipientUser: ALICE, cipherMessage: new Uint8Array(0) });
  const id = parseMessageId(new Uint8Array(16).fill(1));
  const head = { kind: 'deliver', seq: 1, sender: phone, id, acceptedAt: ACCEPTED_AT } as const;
  return ledger.commit((transaction) => {
    writePeer(transaction, {
      address: BOB,
      accountKey: new Uint8Array(32),
      manifest,
      bytes,
      checkedAt: 1,
      trust: new Map(),
    });
    const options = { engines, heard: {} as IncomingChains, me };
    return open(options, transaction, { ...head, content: new Uint8Array(1), body });
  });
}

it('a text of Linphone is a text, with its own id and time', async () => {
  const { message } = (await opened(writeChatMessage({ ...TEXT, id: 'abc', sentAt: 7 }))) as { message: object };
  expect(message).toEqual({
    ...{ kind: 'message', id: 'abc', from: BOB, device: phone, conversation: BOB, type: 'text/plain' },
    ...{ body: utf8('hello'), sentAt: 7, acceptedAt: ACCEPTED_AT, trust: 'untrusted' },
  });
});

it('what it says besides is told: a reply, a reaction, a short life, and what notices it asks for', async () => {
  const reply = { id: 'x', sender: me };
  const asking = { id: 'abc', requests: ['display'] as const, reply, lifetime: 60 };
  expect(await opened(writeChatMessage({ ...TEXT, ...asking }))).toMatchObject({ message: asking });
  expect(await opened(writeChatMessage({ ...TEXT, reactionTo: 'abc' }))).toMatchObject({
    message: { reactionTo: 'abc', type: 'text/plain', sentAt: ACCEPTED_AT },
  });
});

it.each([me, ALICE, 'sip:bob@example.org.net;gr=urn:uuid:phone', 'sip:eve@example.org'])(
  'a message that names %s as its author is not shown: LIME says that bob wrote it',
  async (from) => {
    expect(await opened(writeChatMessage({ ...TEXT, from }))).toEqual({ refused: { code: 'wrong-author' } });
  },
);

it('a reply within our own encoding is shown as one; under a foreign name it stays a thing that was sent', async () => {
  const contentOf = (from: string) =>
    encodeContent({
      type: 'message/cpim',
      body: writeChatMessage({ ...TEXT, from, reactionTo: 'abc' }),
      sentAt: 7,
      id: 'def',
    });
  expect(await opened(contentOf(phone))).toMatchObject({
    message: { type: 'text/plain', reactionTo: 'abc', id: 'def' },
  });
  expect(await opened(contentOf(me))).toMatchObject({ message: { type: 'message/cpim', id: 'def' } });
});
