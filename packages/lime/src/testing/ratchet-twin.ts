/**
 * The Double Ratchet a second time, written for reading: hex strings, maps, the steps in the order of the paper and of liblime (both halves
 * of a ratchet step at once, as soon as a new key arrives). Slow, and only the reference of a test.
 */
import type { CryptoProvider, SuiteName } from '@sealwire/crypto/port';

const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const fromHex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const ascii = (text: string) => toHex(new TextEncoder().encode(text));
const u16 = (value: number) => value.toString(16).padStart(4, '0');

export interface TwinStart {
  readonly suite: SuiteName;
  readonly sharedData: Uint8Array;
  readonly sharedKey: Uint8Array;
  /** The initiator's init; the responder has none. */
  readonly init: Uint8Array | undefined;
  /** The responder's signed prekey, both halves for the responder, the public one for the initiator. */
  readonly signedPrekey: { readonly privateKey: Uint8Array | undefined; readonly publicKey: Uint8Array };
  /** This side's ratchet keys, one after the other. */
  readonly nextPrivateKey: () => Uint8Array;
}

export class RatchetTwin {
  rootKey: string;
  sendingChain = '';
  receivingChain = '';
  ownPrivate = '';
  ownPublic = '';
  peerPublic = '';
  sent = 0;
  received = 0;
  previous = 0;
  init: string;
  /** `peer key/number` → message key. */
  readonly skipped = new Map<string, string>();

  constructor(
    private readonly crypto: CryptoProvider,
    private readonly start: TwinStart,
  ) {
    this.rootKey = toHex(start.sharedKey);
    this.init = start.init ? toHex(start.init) : '';
    if (start.init) {
      this.peerPublic = toHex(start.signedPrekey.publicKey);
      this.#newOwnKey();
      this.sendingChain = this.#rootStep();
    } else {
      this.ownPrivate = toHex(start.signedPrekey.privateKey!);
      this.ownPublic = toHex(start.signedPrekey.publicKey);
    }
  }

  encrypt(plaintext: Uint8Array, associatedData: Uint8Array): Uint8Array {
    const messageKey = this.#hmac(this.sendingChain, '01').slice(0, 96);
    this.sendingChain = this.#hmac(this.sendingChain, '02').slice(0, 64);
    const type = this.init ? '03' : '02';
    const curveId = this.start.suite === 'c25519' ? '01' : '02';
    const header = `01${type}${curveId}${this.init}${u16(this.sent)}${u16(this.previous)}${this.ownPublic}`;
    this.sent += 1;
    const bound = toHex(associatedData) + toHex(this.start.sharedData) + header;
    const sealed = this.crypto.aes256gcm.seal(
      fromHex(messageKey.slice(0, 64)),
      fromHex(messageKey.slice(64)),
      plaintext,
      fromHex(bound),
    );
    return fromHex(header + toHex(sealed));
  }

  /** Undefined when the message cannot be decrypted; then nothing has changed. */
  decrypt(message: Uint8Array, initLength: number, associatedData: Uint8Array): Uint8Array | undefined {
    const before = this.#snapshot();
    try {
      return this.#decrypt(toHex(message), initLength, toHex(associatedData));
    } catch {
      this.#restore(before);
      return undefined;
    }
  }

  #decrypt(message: string, initLength: number, associatedData: string): Uint8Array {
    const keyLength = this.start.suite === 'c25519' ? 64 : 112;
    const numbersAt = 6 + 2 * initLength;
    const keyAt = numbersAt + 8;
    const number = Number.parseInt(message.slice(numbersAt, numbersAt + 4), 16);
    const previous = Number.parseInt(message.slice(numbersAt + 4, keyAt), 16);
    const peerKey = message.slice(keyAt, keyAt + keyLength);
    const header = message.slice(0, keyAt + keyLength);
    const bound = associatedData + toHex(this.start.sharedData) + header;
    const open = (messageKey: string) =>
      this.crypto.aes256gcm.open(
        fromHex(messageKey.slice(0, 64)),
        fromHex(messageKey.slice(64)),
        fromHex(message.slice(keyAt + keyLength)),
        fromHex(bound),
      );

    const skippedKey = this.skipped.get(`${peerKey}/${number}`);
    if (skippedKey) {
      const plaintext = open(skippedKey);
      this.skipped.delete(`${peerKey}/${number}`);
      return plaintext;
    }
    if (peerKey !== this.peerPublic) {
      if (this.receivingChain) this.#skipTo(previous);
      this.#ratchetStep(peerKey);
    }
    if (!this.receivingChain || number < this.received) throw new Error('no key for this message');
    this.#skipTo(number);
    const messageKey = this.#nextReceived();
    const plaintext = open(messageKey);
    this.init = '';
    return plaintext;
  }

  #ratchetStep(peerKey: string): void {
    this.previous = this.sent;
    this.sent = 0;
    this.received = 0;
    this.peerPublic = peerKey;
    this.receivingChain = this.#rootStep();
    this.#newOwnKey();
    this.sendingChain = this.#rootStep();
  }

  #skipTo(number: number): void {
    while (this.received < number) {
      const name = `${this.peerPublic}/${this.received}`;
      this.skipped.set(name, this.#nextReceived());
    }
  }

  #nextReceived(): string {
    const messageKey = this.#hmac(this.receivingChain, '01').slice(0, 96);
    this.receivingChain = this.#hmac(this.receivingChain, '02').slice(0, 64);
    this.received += 1;
    return messageKey;
  }

  #rootStep(): string {
    const { dh } = this.crypto.suites[this.start.suite];
    const secret = toHex(dh.sharedSecret(fromHex(this.ownPrivate), fromHex(this.peerPublic)));
    const pseudorandomKey = this.#hmac(this.rootKey, secret);
    const output = this.#hmac(pseudorandomKey, `${ascii('DR Root Chain Key Derivation')}01`);
    this.rootKey = output.slice(0, 64);
    return output.slice(64);
  }

  #newOwnKey(): void {
    const privateKey = this.start.nextPrivateKey();
    this.ownPrivate = toHex(privateKey);
    this.ownPublic = toHex(this.crypto.suites[this.start.suite].dh.publicKey(privateKey));
  }

  #hmac(key: string, data: string): string {
    return toHex(this.crypto.hmacSha512(fromHex(key), fromHex(data)));
  }

  #snapshot(): { fields: object; skipped: [string, string][] } {
    const { rootKey, sendingChain, receivingChain, ownPrivate, ownPublic, peerPublic, init } = this;
    const { sent, received, previous } = this;
    const keys = { rootKey, sendingChain, receivingChain, ownPrivate, ownPublic, peerPublic, init };
    return { fields: { ...keys, sent, received, previous }, skipped: [...this.skipped] };
  }

  #restore({ fields, skipped }: { fields: object; skipped: [string, string][] }): void {
    Object.assign(this, fields);
    this.skipped.clear();
    for (const [name, key] of skipped) this.skipped.set(name, key);
  }
}
