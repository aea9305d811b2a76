import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { chainDigest, deviceTag } from './chain.ts';
import type { Content } from './envelope.ts';
import { parseAccountAddress, parseDeviceId } from './ids.ts';

const crypto = nodeCrypto();
const alice = parseDeviceId('sip:alice@example.org;gr=urn:uuid:1');
const bob = parseAccountAddress('sip:bob@example.org');
const content: Content = {
  type: 'text/plain',
  body: Uint8Array.of(1),
  sentAt: 5,
  id: 'x',
  link: { number: 2, previous: { number: 1, digest: new Uint8Array(16) }, newcomers: [] },
};
const digest = (sender = alice, conversation = bob, of = content) =>
  Buffer.from(chainDigest(crypto, sender, conversation, of)).toString('hex');

describe('chain digest', () => {
  it('is the same for every attempt: newcomers and receipts are not in it', () => {
    const receipt = { device: new Uint8Array(8), number: 1, digest: new Uint8Array(16), missing: [], displayed: 0 };
    const again = { ...content, link: { ...content.link!, newcomers: [new Uint8Array(8)] }, receipts: [receipt] };
    expect(digest(alice, bob, again)).toBe(digest());
  });

  it('is another one for another sender, conversation, and anything else in the message', () => {
    const all = [
      digest(),
      digest(parseDeviceId('sip:alice@example.org;gr=urn:uuid:2')),
      digest(alice, parseAccountAddress('sip:carol@example.org')),
      digest(alice, bob, { ...content, type: 'text/html' }),
      digest(alice, bob, { ...content, body: Uint8Array.of(2) }),
      digest(alice, bob, { ...content, sentAt: 6 }),
      digest(alice, bob, { ...content, id: 'y' }),
      digest(alice, bob, { ...content, link: { ...content.link!, number: 3 } }),
      digest(alice, bob, { ...content, link: { number: 2, newcomers: [] } }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('is written down: both ends of a chain compute this', () => {
    const tag = Buffer.from(deviceTag(crypto, alice)).toString('hex');
    expect([digest(), tag]).toEqual(['44533b309f1ff9aa7201daf8f962457d', 'a9bd857f00995af6']);
  });
});
