/**
 * A hybrid device a second time: X3DH and ratchet with a KEM, written from docs/spec/lime.md ("Hybrid suites") for reading, without the
 * code of this package. Hex strings, one peer, one session, direct form only; it trusts everything and rolls back nothing. A test's
 * interlocutor of the real one.
 */
import type { CryptoProvider, RandomBytes, SuiteName } from '@sealwire/crypto/port';

const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const fromHex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const ascii = (text: string) => toHex(new TextEncoder().encode(text));
const u16 = (value: number) => value.toString(16).padStart(4, '0');
const u32 = (value: number) => value.toString(16).padStart(8, '0');

const CURVE_IDS: Readonly<Record<string, string>> = { c25519mlk512: '04', c448mlk1024: '05' };
const SECRET_INFOS: Readonly<Record<string, string>> = {
  c25519mlk512: 'Lime_CURVE25519_SHA512_MLKEM512',
  c448mlk1024: 'Lime_CURVE448_SHA512_MLKEM1024',
};

interface Pair {
  readonly secret: string;
  readonly pub: string;
}

interface Prekey {
  readonly id: number;
  readonly dh: Pair;
  readonly kem: Pair;
}

/** What the slow one needs of its peer's bundle. */
export interface SlowBundle {
  readonly identityKey: Uint8Array;
  readonly signedPrekey: { readonly id: number; readonly publicKey: Uint8Array };
  readonly oneTimePrekey?: { readonly id: number; readonly publicKey: Uint8Array } | undefined;
}

export class SlowHybrid {
  readonly identity: Pair;
  readonly signedPrekey: Prekey;
  readonly oneTimePrekey: Prekey;
  readonly skipped = new Map<string, string>();
  rootKey = '';
  sharedData = '';
  init = '';
  sendingChain = '';
  receivingChain = '';
  ownDh: Pair | undefined;
  peerDh = '';
  ownKem: Pair | undefined;
  /** Own KEM public key and ciphertext, as the long header says them. */
  ownKemPublic = '';
  peerKemPublic = '';
  /** The peer's, as it said them. */
  peerKemHeader = '';
  mayStep = false;
  mayKemStep = false;
  mustKemStep = false;
  peerHasOwn = false;
  messages = 0;
  sent = 0;
  previous = 0;
  received = 0;

  constructor(
    private readonly crypto: CryptoProvider,
    private readonly suite: SuiteName,
    readonly device: string,
    private readonly peer: string,
    private readonly random: RandomBytes,
    private readonly kemStepMessages: number,
  ) {
    const { signatures } = this.#suite;
    const seed = random(signatures.seedLength);
    this.identity = { secret: toHex(seed), pub: toHex(signatures.publicKey(seed)) };
    this.signedPrekey = { id: 7, dh: this.#dhPair(), kem: this.#kemPair() };
    this.oneTimePrekey = { id: 8, dh: this.#dhPair(), kem: this.#kemPair() };
  }

  /** As a directory gives it out. */
  bundle(withOneTimePrekey: boolean) {
    const { signatures } = this.#suite;
    const publicKey = fromHex(this.signedPrekey.dh.pub + this.signedPrekey.kem.pub);
    const signature = signatures.sign(fromHex(this.identity.secret), publicKey);
    const { id, dh, kem } = this.oneTimePrekey;
    return {
      identityKey: fromHex(this.identity.pub),
      signedPrekey: { id: this.signedPrekey.id, publicKey, signature },
      oneTimePrekey: withOneTimePrekey ? { id, publicKey: fromHex(dh.pub + kem.pub) } : undefined,
    };
  }

  /** The initiator's side of X3DH, and its first ratchet step. */
  begin({ identityKey, signedPrekey, oneTimePrekey }: SlowBundle): void {
    const x = 2 * this.#suite.dh.keyLength;
    const theirs = toHex(identityKey);
    const [spk, opk] = [toHex(signedPrekey.publicKey), oneTimePrekey && toHex(oneTimePrekey.publicKey)];
    const ephemeral = this.#dhPair();
    const kemPublic = (opk ?? spk).slice(x);
    const { secret, ciphertext } = this.#encapsulate(kemPublic);
    const secrets = [
      this.#dh(this.#identityAsDh(), spk.slice(0, x)),
      this.#dh(ephemeral.secret, this.#asDh(theirs)),
      this.#dh(ephemeral.secret, spk.slice(0, x)),
      opk ? this.#dh(ephemeral.secret, opk.slice(0, x)) : '',
      secret,
    ];
    const transcript = [
      this.identity.pub,
      ephemeral.pub,
      theirs,
      spk.slice(0, x),
      opk?.slice(0, x),
      kemPublic,
      ciphertext,
    ];
    this.#agree(secrets, transcript, this.identity.pub + theirs, this.device, this.peer);
    const ids = u32(signedPrekey.id) + (oneTimePrekey ? u32(oneTimePrekey.id) : '');
    this.init = `${opk ? '01' : '00'}${this.identity.pub}${ephemeral.pub}${ciphertext}${ids}`;
    this.peerDh = spk.slice(0, x);
    this.peerKemPublic = spk.slice(x);
    this.mayStep = true;
    this.mayKemStep = true;
    this.mustKemStep = true;
  }

  write(text: string, user: string): Uint8Array {
    if (this.mayStep) this.#sendingStep();
    const messageKey = this.#hmac(this.sendingChain, `01${u16(this.sent)}`).slice(0, 96);
    this.sendingChain = this.#hmac(this.sendingChain, `02${u16(this.sent)}`).slice(0, 64);
    const type = 2 + (this.init ? 1 : 0) + (this.peerHasOwn ? 4 : 0);
    const kem = this.peerHasOwn ? this.#index(this.ownKemPublic) + this.#index(this.peerKemHeader) : this.ownKemPublic;
    const numbers = u16(this.sent) + u16(this.previous);
    const header = `010${type}${CURVE_IDS[this.suite]}${this.init}${numbers}${this.ownDh!.pub}${kem}`;
    this.sent += 1;
    this.messages += 1;
    const bound = ascii(user + this.device + this.peer) + this.sharedData + header;
    const sealed = this.crypto.aes256gcm.seal(
      fromHex(messageKey.slice(0, 64)),
      fromHex(messageKey.slice(64)),
      new TextEncoder().encode(text),
      fromHex(bound),
    );
    return fromHex(header + toHex(sealed));
  }

  read(message: Uint8Array, user: string): string {
    const { dh, kem, signatures } = this.#suite;
    const [x, ed] = [2 * dh.keyLength, 2 * signatures.publicKeyLength];
    const [pk, ct] = [2 * kem!.publicKeyLength, 2 * kem!.ciphertextLength];
    let rest = toHex(message);
    let header = '';
    const take = (length: number) => {
      const part = rest.slice(0, length);
      rest = rest.slice(length);
      header += part;
      return part;
    };
    take(2);
    const type = Number.parseInt(take(2), 16);
    take(2);
    if (type & 1) {
      const withOneTimePrekey = take(2) === '01';
      const [identity, ephemeral, ciphertext] = [take(ed), take(x), take(ct)];
      take(withOneTimePrekey ? 16 : 8);
      if (!this.rootKey) this.#accept(withOneTimePrekey, identity, ephemeral, ciphertext);
    }
    const [number, previous] = [Number.parseInt(take(4), 16), Number.parseInt(take(4), 16)];
    const peerDh = take(x);
    const isShort = (type & 4) !== 0;
    const kemHeader = isShort ? '' : take(pk + ct);
    if (isShort) {
      take(24);
      if (take(24) === this.#index(this.ownKemPublic)) this.peerHasOwn = true;
    }
    const bound = ascii(user + this.peer + this.device) + this.sharedData + header;
    const open = (messageKey: string) =>
      new TextDecoder().decode(
        this.crypto.aes256gcm.open(
          fromHex(messageKey.slice(0, 64)),
          fromHex(messageKey.slice(64)),
          fromHex(rest),
          fromHex(bound),
        ),
      );
    const early = this.skipped.get(`${peerDh}/${number}`);
    if (early) {
      this.skipped.delete(`${peerDh}/${number}`);
      return open(early);
    }
    if (peerDh !== this.peerDh || !this.receivingChain) {
      if (this.receivingChain) this.#skipTo(previous);
      this.#receivingStep(peerDh, kemHeader, pk);
    }
    this.#skipTo(number);
    const text = open(this.#nextReceived());
    this.init = '';
    return text;
  }

  #accept(withOneTimePrekey: boolean, identity: string, ephemeral: string, ciphertext: string): void {
    const [spk, opk] = [this.signedPrekey, withOneTimePrekey ? this.oneTimePrekey : undefined];
    const { kem } = opk ?? spk;
    const secrets = [
      this.#dh(spk.dh.secret, this.#asDh(identity)),
      this.#dh(this.#identityAsDh(), ephemeral),
      this.#dh(spk.dh.secret, ephemeral),
      opk ? this.#dh(opk.dh.secret, ephemeral) : '',
      this.#decapsulate(kem.secret, ciphertext),
    ];
    const transcript = [identity, ephemeral, this.identity.pub, spk.dh.pub, opk?.dh.pub, kem.pub, ciphertext];
    this.#agree(secrets, transcript, identity + this.identity.pub, this.peer, this.device);
    this.ownDh = spk.dh;
    this.ownKem = spk.kem;
    this.mustKemStep = true;
  }

  #agree(
    secrets: string[],
    transcript: (string | undefined)[],
    keys: string,
    initiator: string,
    responder: string,
  ): void {
    const prefix = 'ff'.repeat(this.#suite.signatures.publicKeyLength);
    const material = prefix + secrets.join('') + transcript.join('');
    this.rootKey = this.#hkdf('00'.repeat(64), material, SECRET_INFOS[this.suite]!, 32);
    this.sharedData = this.#hkdf('00'.repeat(64), keys + ascii(initiator + responder), 'X3DH Associated Data', 32);
  }

  #sendingStep(): void {
    this.mayStep = false;
    this.previous = this.sent;
    this.sent = 0;
    const own = this.#dhPair();
    const shared = this.#dh(own.secret, this.peerDh);
    this.ownDh = own;
    if (!this.mayKemStep || !(this.mustKemStep || this.messages > this.kemStepMessages)) {
      this.sendingChain = this.#rootStep(shared);
      return;
    }
    const { secret, ciphertext } = this.#encapsulate(this.peerKemPublic);
    this.sendingChain = this.#rootStep(shared + secret + own.pub + this.peerDh + this.peerKemPublic + ciphertext);
    this.ownKem = this.#kemPair();
    this.ownKemPublic = this.ownKem.pub + ciphertext;
    this.mayKemStep = false;
    this.mustKemStep = false;
    this.peerHasOwn = false;
  }

  #receivingStep(peerDh: string, kemHeader: string, pk: number): void {
    const own = this.ownDh!;
    const shared = this.#dh(own.secret, peerDh);
    this.received = 0;
    this.peerDh = peerDh;
    this.mayStep = true;
    if (!kemHeader) {
      this.receivingChain = this.#rootStep(shared);
      return;
    }
    const ciphertext = kemHeader.slice(pk);
    const secret = this.#decapsulate(this.ownKem!.secret, ciphertext);
    this.receivingChain = this.#rootStep(shared + secret + peerDh + own.pub + this.ownKem!.pub + ciphertext);
    this.peerKemHeader = kemHeader;
    this.peerKemPublic = kemHeader.slice(0, pk);
    this.mayKemStep = true;
    this.peerHasOwn = true;
    this.messages = 0;
  }

  #skipTo(number: number): void {
    while (this.received < number) this.skipped.set(`${this.peerDh}/${this.received}`, this.#nextReceived());
  }

  #nextReceived(): string {
    const messageKey = this.#hmac(this.receivingChain, `01${u16(this.received)}`).slice(0, 96);
    this.receivingChain = this.#hmac(this.receivingChain, `02${u16(this.received)}`).slice(0, 64);
    this.received += 1;
    this.messages += 1;
    return messageKey;
  }

  get #suite() {
    return this.crypto.suites[this.suite];
  }

  #rootStep(material: string): string {
    const output = this.#hkdf(this.rootKey, material, 'DR Root Chain Key Derivation', 64);
    this.rootKey = output.slice(0, 64);
    return output.slice(64);
  }

  #index(kemPublic: string): string {
    return this.#hmac('', kemPublic).slice(0, 24);
  }

  #dhPair(): Pair {
    const secret = this.random(this.#suite.dh.keyLength);
    return { secret: toHex(secret), pub: toHex(this.#suite.dh.publicKey(secret)) };
  }

  #kemPair(): Pair {
    const secret = this.random(64);
    return { secret: toHex(secret), pub: toHex(this.#suite.kem!.publicKey(secret)) };
  }

  #dh(secret: string, pub: string): string {
    return toHex(this.#suite.dh.sharedSecret(fromHex(secret), fromHex(pub)));
  }

  #asDh(identity: string): string {
    return toHex(this.#suite.identityToDhPublic(fromHex(identity)));
  }

  #identityAsDh(): string {
    return toHex(this.#suite.identityToDhPrivate(fromHex(this.identity.secret)));
  }

  #encapsulate(pub: string): { secret: string; ciphertext: string } {
    const { sharedSecret, ciphertext } = this.#suite.kem!.encapsulate(fromHex(pub), this.random(32));
    return { secret: toHex(sharedSecret), ciphertext: toHex(ciphertext) };
  }

  #decapsulate(secret: string, ciphertext: string): string {
    return toHex(this.#suite.kem!.decapsulate(fromHex(secret), fromHex(ciphertext)));
  }

  #hkdf(salt: string, material: string, info: string, length: number): string {
    return this.#hmac(this.#hmac(salt, material), `${ascii(info)}01`).slice(0, 2 * length);
  }

  #hmac(key: string, data: string): string {
    return toHex(this.crypto.hmacSha512(fromHex(key), fromHex(data)));
  }
}
