/**
 * How a controller and an agent know each other: both have a secret, neither sends it. Each proves it over both sides' fresh nonces, and
 * from all three come the keys of the connection, so that whoever is in between can neither read nor write.
 */
import { nodeCrypto } from '@sealwire/crypto/node';
import type { RandomBytes } from '@sealwire/crypto/port';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import * as z from 'zod';

export const AGENT_FORMAT = 'sealwire-load-agent/1';
const NONCE_BYTES = 32;
const KEY_BYTES = 32;

const bytes = z.string().regex(/^[\w-]{43,86}$/);
/** The agent speaks first. */
export const Hello = z.strictObject({ format: z.string().max(64), version: z.string().max(64), nonce: bytes });
/** The controller's answer. */
export const Proof = z.strictObject({ nonce: bytes, proof: bytes });
/** The agent's word that it is one. */
export const Welcome = z.strictObject({ proof: bytes });

export type Hello = z.output<typeof Hello>;
export type Proof = z.output<typeof Proof>;
export type Side = 'controller' | 'agent';

export interface Nonces {
  /** base64url. */
  readonly agent: string;
  readonly controller: string;
}

/** Of a connection: the key of each side's frames, 32 bytes. */
export type ChannelKeys = Readonly<Record<Side, Uint8Array>>;

const { hmacSha512, hkdfSha512, equal } = nodeCrypto();
const utf8 = (text: string) => new TextEncoder().encode(text);

/** base64url. */
export function newNonce(random: RandomBytes): string {
  return encodeBase64url(random(NONCE_BYTES));
}

/** base64url; of `side`, over both nonces. */
export function proofOf(side: Side, secret: Uint8Array, { agent, controller }: Nonces): string {
  return encodeBase64url(hmacSha512(secret, utf8(`${AGENT_FORMAT} ${side} ${agent} ${controller}`)));
}

/** In constant time. */
export function isProof(proof: string, side: Side, secret: Uint8Array, nonces: Nonces): boolean {
  return equal(utf8(proof), utf8(proofOf(side, secret, nonces)));
}

export function channelKeys(secret: Uint8Array, { agent, controller }: Nonces): ChannelKeys {
  const salt = new Uint8Array([...decodeBase64url(agent), ...decodeBase64url(controller)]);
  const keys = hkdfSha512(salt, secret, utf8(`${AGENT_FORMAT} keys`), 2 * KEY_BYTES);
  return { controller: keys.subarray(0, KEY_BYTES), agent: keys.subarray(KEY_BYTES) };
}
