/** What requests and answers to the key server have in common on the wire. */
import { BigEndianWriter } from '../big-endian.ts';
import { WireError } from '../wire-error.ts';
import type { LimeRequestKind } from './messages.ts';

export const VERSION = 1;
export const HEADER = 3;
export const TYPES = {
  registerIdentity: 0x01,
  deleteUser: 0x02,
  postSignedPrekey: 0x03,
  postOneTimePrekeys: 0x04,
  getPeerBundle: 0x05,
  getSelfOneTimePrekeys: 0x07,
  registerUser: 0x09,
} as const satisfies Record<LimeRequestKind, number>;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
export const encoder = new TextEncoder();

export function headerOf(type: number, curveId: number): BigEndianWriter {
  return new BigEndianWriter().u8(VERSION).u8(type).u8(curveId);
}

export function writeText(writer: BigEndianWriter, text: string): void {
  const bytes = encoder.encode(text);
  if (bytes.length > 0xffff) throw new WireError('bad-device-id', 'a device id has at most 65,535 bytes');
  writer.u16(bytes.length).raw(bytes);
}

export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
