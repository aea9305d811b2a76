/**
 * Every value of vectors/lime-5.3.json: made by running liblime 5.3.105 and recomputed by an independent model. The last test fails when a
 * value was left out.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { nodeCrypto } from '@sealwire/crypto/node';
import type { CurveName } from '@sealwire/crypto/port';
import { decodeAnswer, decodeRequest, encodeAnswer, encodeRequest } from '@sealwire/wire/lime-server';
import { OwnIdentity, PeerIdentity } from './keys/identity-keys.ts';
import { CipherSeed, keyFromSeed } from './messages/cipher-message.ts';
import { ChainKey, messageKeyOf, nextChainKey } from './ratchet/chain-key.ts';
import { RootKey, rootKeyStep } from './ratchet/root-key.ts';
import { recordingCrypto } from './testing/recording-crypto.ts';
import { replayDialogue, replayFixedSender } from './testing/replay-scenario.ts';
import { VectorFile } from './testing/vector-file.ts';

/** All values of the file: a smaller number would mean that the walk over it is broken. */
const LEAVES = 1032;
const FILE = new URL('../vectors/lime-5.3.json', import.meta.url);
const CURVES: readonly CurveName[] = ['c25519', 'c448'];

describe.each([nobleCrypto(), nodeCrypto()])('liblime 5.3 vectors on $name', (provider) => {
  const vectors = new VectorFile(FILE);
  const { root } = vectors;
  const crypto = recordingCrypto(provider);

  it('the key derivations and the AEAD', () => {
    for (const key of ['about', 'generated']) root.text(key);
    for (const key of ['u16', 'u32', 'mk']) root.node('conventions').text(key);
    const kdf = root.node('kdf');

    const rk = kdf.node('kdf_rk');
    const step = rootKeyStep(crypto, new RootKey(rk.bytes('rk')), rk.bytes('dh'));
    rk.text('info');
    rk.check('out_rk', step.rootKey.reveal());
    rk.check('out_ck', step.chainKey.reveal());

    const ck = kdf.node('kdf_ck');
    const chain = new ChainKey(ck.bytes('ck'));
    ck.check('mk', messageKeyOf(crypto, chain).reveal());
    ck.check('next_ck', nextChainKey(crypto, chain).reveal());

    const seed = kdf.node('cipher_message_key');
    seed.text('info');
    seed.check('mk', keyFromSeed(crypto, new CipherSeed(seed.bytes('seed'))).reveal());

    const gcm = kdf.node('aes256gcm_iv16');
    const mk = gcm.bytes('mk');
    const sealed = crypto.aes256gcm.seal(mk.subarray(0, 32), mk.subarray(32), gcm.bytes('plaintext'), gcm.bytes('ad'));
    gcm.check('sealed', sealed);
  });

  describe.each(CURVES)('%s', (name) => {
    const suite = crypto.suites[name];
    const node = root.node('curves').node(name);

    it('sizes, conversions of identity keys, the signature of a signed prekey', () => {
      node.check('curve_id', suite.id);
      const sizes = node.node('sizes');
      sizes.check('x', suite.dh.keyLength);
      sizes.check('ed', suite.signatures.publicKeyLength);
      sizes.check('sig', suite.signatures.signatureLength);
      for (const each of node.list('identity_conversion')) {
        const seed = each.bytes('ed_private');
        const own = new OwnIdentity(seed, suite.signatures.publicKey(seed)).forAgreement(suite);
        each.check('ed_public', suite.signatures.publicKey(seed));
        each.check('x_private_unclamped', own.reveal());
        const peer = new PeerIdentity(each.bytes('ed_public')).forAgreement(suite);
        each.check('x_public', peer.bytes);
        expect(suite.dh.publicKey(own.reveal())).toEqual(peer.bytes);
      }
      const signed = node.node('spk_signature');
      signed.text('note');
      signed.check('ik_public', suite.signatures.publicKey(signed.bytes('ik_private')));
      signed.check('signature', suite.signatures.sign(signed.bytes('ik_private'), signed.bytes('spk_public')));
    });

    it('the twelve requests and answers of the key server', () => {
      const identities = new Map<string, Uint8Array>();
      const exchanges = node.list('x3dh_server');
      expect(exchanges).toHaveLength(12);
      for (const each of exchanges) {
        each.text('what');
        const from = each.text('from');
        const request = decodeRequest(each.bytes('request'));
        each.check('request', encodeRequest(request));
        const answer = decodeAnswer(each.bytes('response'), name);
        each.check('response', encodeAnswer(answer));

        if (request.kind === 'registerUser') identities.set(from, request.identityKey);
        if (request.kind === 'registerUser' || request.kind === 'postSignedPrekey') {
          const { publicKey, signature } = request.signedPrekey;
          expect(suite.signatures.verify(identities.get(from)!, publicKey, signature)).toBe(true);
        }
        if (answer.kind === 'peerBundle') {
          for (const { device, bundle } of answer.peers) expect(bundle?.identityKey).toEqual(identities.get(device));
        }
      }
    });

    it.each([0, 1])('scenario %i: sent and received byte for byte, with the states that liblime stored', (index) => {
      replayDialogue(crypto, name, node.list('scenarios')[index]!);
    });

    it('scenario 2: all sender secrets fixed', () => {
      replayFixedSender(crypto, name, node.list('scenarios')[2]!);
    });
  });

  afterAll(() => {
    crypto.calls.length = 0;
  });

  it('no value is left out', () => {
    expect(vectors.leaves).toBe(LEAVES);
    expect(vectors.unused()).toEqual([]);
  });
});
