/**
 * What is told of typing, encrypted (docs/spec/presence.md section 4): an envelope whose engine is `typing`, with nonce (12 bytes) and AES-256-GCM
 * of nine bytes: 1 or 0 for typing or not, then the time in ms, 64 bits big endian. Both look the same from outside.
 */
import { CryptoError, type CryptoProvider, type RandomBytes } from '@sealwire/crypto/port';
import { decodeEnvelope, encodeEnvelope } from '@sealwire/wire/envelope';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';

const ENGINE = 'typing';
const CONTEXT = 'sealwire/typing/v1';
const NONCE_BYTES = 12;
const SAID_BYTES = 9;

export interface Typed {
  readonly typing: boolean;
  /** ms, the sender's clock. */
  readonly at: number;
}

/** Of `sender` to `conversation`, under its key there. Answers the body of a frame. */
export function sealTyping(
  { crypto, random }: { readonly crypto: CryptoProvider; readonly random: RandomBytes },
  key: Uint8Array,
  sender: DeviceId,
  conversation: AccountAddress,
  { typing, at }: Typed,
): Uint8Array {
  const said = new Uint8Array(SAID_BYTES);
  said[0] = typing ? 1 : 0;
  new DataView(said.buffer).setBigUint64(1, BigInt(at));
  const nonce = random(NONCE_BYTES);
  const sealed = crypto.aes256gcm.seal(key, nonce, said, boundTo(sender, conversation));
  const cipherMessage = new Uint8Array(NONCE_BYTES + sealed.length);
  cipherMessage.set(nonce);
  cipherMessage.set(sealed, NONCE_BYTES);
  return encodeEnvelope({ engine: ENGINE, recipientUser: conversation, cipherMessage });
}

/** `keyFor`: the sender's key in a conversation. Undefined for what nobody who has it has written. */
export function openTyping(
  crypto: CryptoProvider,
  body: Uint8Array,
  sender: DeviceId,
  keyFor: (conversation: AccountAddress) => Uint8Array | undefined,
): (Typed & { readonly recipientUser: AccountAddress }) | undefined {
  try {
    const { engine, recipientUser, cipherMessage } = decodeEnvelope(body);
    const key = engine === ENGINE ? keyFor(recipientUser) : undefined;
    if (!key) return undefined;
    const [nonce, sealed] = [cipherMessage.subarray(0, NONCE_BYTES), cipherMessage.subarray(NONCE_BYTES)];
    const said = crypto.aes256gcm.open(key, nonce, sealed, boundTo(sender, recipientUser));
    if (said.length !== SAID_BYTES) return undefined;
    const at = new DataView(said.buffer, said.byteOffset).getBigUint64(1);
    return { typing: said[0] === 1, at: Number(at), recipientUser };
  } catch (error) {
    if (error instanceof WireError || error instanceof CryptoError) return undefined;
    throw error;
  }
}

function boundTo(sender: DeviceId, conversation: AccountAddress): Uint8Array {
  return new TextEncoder().encode(`${CONTEXT}\0${sender}\0${conversation}`);
}
