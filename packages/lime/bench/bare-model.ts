/**
 * The peer that the ratchet is measured against: the arithmetic of LIME on node:crypto with nothing around it. Native keys live in variables;
 * no states to commit or roll back, no checks, no records, no skipped keys. What the real code costs beyond it is what safety costs.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

const hmac = (key: Uint8Array, data: Uint8Array) => createHmac('sha512', key).update(data).digest();
const ONE = Uint8Array.of(1);
const TWO = Uint8Array.of(2);
const INFO = Buffer.from('DR Root Chain Key Derivation\x01');

interface BareKey {
  readonly privateKey: KeyObject;
  readonly publicKey: Buffer;
}

export function bareKey(): BareKey {
  const d = randomBytes(32).toString('base64url');
  const privateKey = createPrivateKey({ key: { kty: 'OKP', crv: 'X25519', d, x: '' }, format: 'jwk' });
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { privateKey, publicKey: Buffer.from(x!, 'base64url') };
}

function agree(own: BareKey, peer: Buffer): Buffer {
  const x = peer.toString('base64url');
  return diffieHellman({
    privateKey: own.privateKey,
    publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' }),
  });
}

class BareEnd {
  rootKey: Buffer = Buffer.alloc(32, 7);
  sending: Buffer = Buffer.alloc(32);
  receiving: Buffer = Buffer.alloc(32);
  own: BareKey = bareKey();
  peer: Buffer = Buffer.alloc(32);
  number = 0;

  /** Of the root key, as sender or as receiver. */
  step(): Buffer {
    const output = hmac(hmac(this.rootKey, agree(this.own, this.peer)), INFO);
    this.rootKey = output.subarray(0, 32);
    return output.subarray(32);
  }

  newChain(): void {
    this.own = bareKey();
    this.sending = this.step();
    this.number = 0;
  }

  encrypt(plaintext: Uint8Array, bound: Uint8Array): Buffer {
    const key = hmac(this.sending, ONE);
    this.sending = hmac(this.sending, TWO).subarray(0, 32);
    const header = Buffer.alloc(39);
    header.writeUInt16BE(this.number++, 3);
    header.set(this.own.publicKey, 7);
    const cipher = createCipheriv('aes-256-gcm', key.subarray(0, 32), key.subarray(32, 48));
    cipher.setAAD(Buffer.concat([bound, header]));
    return Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  decrypt(message: Buffer, bound: Uint8Array): Buffer {
    const peer = message.subarray(7, 39);
    if (!peer.equals(this.peer)) {
      this.peer = Buffer.from(peer);
      this.receiving = this.step();
    }
    const key = hmac(this.receiving, ONE);
    this.receiving = hmac(this.receiving, TWO).subarray(0, 32);
    const decipher = createDecipheriv('aes-256-gcm', key.subarray(0, 32), key.subarray(32, 48));
    decipher.setAAD(Buffer.concat([bound, message.subarray(0, 39)]));
    decipher.setAuthTag(message.subarray(message.length - 16));
    return Buffer.concat([decipher.update(message.subarray(39, message.length - 16)), decipher.final()]);
  }
}

/** Two ends after the first message of one. */
export function barePair(): [BareEnd, BareEnd] {
  const [a, b] = [new BareEnd(), new BareEnd()];
  a.peer = b.own.publicKey;
  a.newChain();
  return [a, b];
}

/** X3DH on both sides without signature, conversion of identity keys, or one-time bookkeeping: two new keys and eight agreements. */
export function bareSetUp(
  alice: BareKey,
  bob: { identity: BareKey; signed: BareKey; oneTime: BareKey },
): [BareEnd, BareEnd] {
  const ephemeral = bareKey();
  const sender = [
    agree(alice, bob.signed.publicKey),
    agree(ephemeral, bob.identity.publicKey),
    agree(ephemeral, bob.signed.publicKey),
    agree(ephemeral, bob.oneTime.publicKey),
  ];
  const receiver = [
    agree(bob.signed, alice.publicKey),
    agree(bob.identity, ephemeral.publicKey),
    agree(bob.signed, ephemeral.publicKey),
    agree(bob.oneTime, ephemeral.publicKey),
  ];
  const [a, b] = [new BareEnd(), new BareEnd()];
  a.rootKey = hmac(hmac(Buffer.alloc(64), Buffer.concat(sender)), ONE).subarray(0, 32);
  b.rootKey = hmac(hmac(Buffer.alloc(64), Buffer.concat(receiver)), ONE).subarray(0, 32);
  b.own = bob.signed;
  a.peer = bob.signed.publicKey;
  a.newChain();
  return [a, b];
}
