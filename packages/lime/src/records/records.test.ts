/**
 * F13: records are frozen. vectors/records-1.json and records-2.json hold whole stores in the middle of a dialogue, written by that version, and
 * letters under way between them: they must open, go on, and be written back byte for byte.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { SuiteName } from '@sealwire/crypto/port';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import type { DeviceId } from '@sealwire/wire/ids';
import fc from 'fast-check';
import { hex } from '../bytes/hex.ts';
import { Lime } from '../lime.ts';
import type { RatchetState } from '../ratchet/ratchet.ts';
import { SkippedChain } from '../ratchet/skipped-keys.ts';
import { MemoryLimeStore } from '../testing/memory-store.ts';
import { fromHex } from '../testing/vector-file.ts';
import { bytes, codeOf, crypto, text } from '../testing/world.ts';
import { decodeDevice, decodeOneTimePrekey, encodeDevice, encodeOneTimePrekey } from './device-record.ts';
import { decodePeer, encodePeer } from './peer-record.ts';
import { decodeSession, encodeSession } from './session-record.ts';

interface Frozen {
  readonly curve: SuiteName;
  readonly now: number;
  /** Device → record key → record. */
  readonly stores: Record<string, Record<string, string>>;
  readonly letters: {
    from: string;
    to: string;
    user: string;
    message: string;
    cipherMessage: string;
    content: string;
  }[];
}

const frozen: Frozen[] = ['records-1.json', 'records-2.json'].flatMap((file) =>
  JSON.parse(readFileSync(new URL(`../../vectors/${file}`, import.meta.url), 'utf8')),
);
const suiteOf = (record: Uint8Array) => Object.values(crypto.suites).find(({ id }) => id === record[1])!.name;

/** Decodes and encodes again. */
const codecs: Record<string, (record: Uint8Array) => Uint8Array> = {
  device: (record) => encodeDevice(crypto, decodeDevice(crypto, record)),
  prekey: (record) => {
    const decoded = decodeOneTimePrekey(crypto, record);
    return encodeOneTimePrekey(crypto, suiteOf(record), decoded);
  },
  active: (record) => encodeSession(crypto, decodeSession(crypto, record)),
  stale: (record) => encodeSession(crypto, decodeSession(crypto, record)),
  peer: (record) => encodePeer(decodePeer(record)),
};
/** Of a session's record. */
const FLAGS_AT = 2;
const kindOf = (key: string) => key.slice(0, key.indexOf(' '));
/** The second byte of a peer record, a trust status when these were frozen, is read as nothing and written as 0. */
const withoutTrust = (key: string, record: string) =>
  kindOf(key) === 'peer' ? `${record.slice(0, 2)}00${record.slice(4)}` : record;

describe.each(frozen)('records on $curve', ({ stores, letters, now }) => {
  const records = Object.values(stores).flatMap((store) => Object.entries(store));

  it('every kind is there, and is written back byte for byte', () => {
    expect(new Set(records.map(([key]) => kindOf(key)))).toEqual(new Set([...Object.keys(codecs), 'init']));
    for (const [key, record] of records) {
      if (kindOf(key) === 'init') expect(record).toBe('01');
      else expect(hex(codecs[kindOf(key)]!(fromHex(record)))).toBe(withoutTrust(key, record));
    }
  });

  it('the dialogue goes on: letters under way are read and answered', () => {
    const limes = new Map(
      Object.entries(stores).map(([device, store]) => {
        const opened = new MemoryLimeStore(Object.entries(store).map(([key, record]) => [key, fromHex(record)]));
        return [device, new Lime({ crypto, store: opened, random: seededRandom(99), now: () => now })];
      }),
    );
    for (const { from, to, user, content, ...sealed } of letters) {
      const [sender, reader] = [from as DeviceId, to as DeviceId];
      const message = fromHex(sealed.message);
      const cipherMessage = fromHex(sealed.cipherMessage);
      const input = { sender, recipientUser: user, message, cipherMessage };
      expect(text(limes.get(to)!.decrypt(reader, input))).toBe(content);
      const plaintext = bytes(`re: ${content}`);
      const answer = limes.get(to)!.encrypt(reader, { recipientUser: 'x', recipients: [sender], plaintext });
      const { message: answered } = answer.recipients[0]!;
      const back = { sender: reader, recipientUser: 'x', message: answered!, cipherMessage: answer.cipherMessage };
      expect(text(limes.get(from)!.decrypt(sender, back))).toBe(`re: ${content}`);
    }
    expect(letters.length).toBeGreaterThan(2);
  });

  it('decoding is strict: short, long and foreign records are refused, and nothing but LimeError is thrown', () => {
    for (const [key, record] of records) {
      const codec = codecs[kindOf(key)];
      if (!codec) continue;
      const whole = fromHex(record);
      const refused = (changed: Uint8Array) => codeOf(() => codec(changed));
      expect(refused(new Uint8Array(0))).toBe('corrupt-record');
      expect(refused(whole.subarray(0, -1))).toBe('corrupt-record');
      expect(refused(Uint8Array.of(...whole, 0))).toBe('corrupt-record');
      for (const version of [0, whole[0] === 1 ? 2 : 1, 3])
        expect(refused(whole.with(0, version))).toBe('corrupt-record');
    }
    const [, session] = records.find(([key]) => kindOf(key) === 'active')!;
    const flags = fromHex(session)[FLAGS_AT]!;
    for (const unknown of [64, 128]) {
      const later = fromHex(session).with(FLAGS_AT, flags | unknown);
      expect(codeOf(() => decodeSession(crypto, later))).toBe('corrupt-record');
    }
    const decoded = decodeSession(crypto, fromHex(session));
    const { keyLength } = crypto.suites[decoded.ratchet.suite].dh;
    const broken: Partial<RatchetState>[] = [
      { pastChains: new Uint8Array(1) },
      { skipped: [new SkippedChain(new Uint8Array(keyLength), 0, new Uint8Array(0))] },
    ];
    for (const part of broken) {
      const record = encodeSession(crypto, { ...decoded, ratchet: { ...decoded.ratchet, ...part } });
      expect(codeOf(() => decodeSession(crypto, record))).toBe('corrupt-record');
    }
    fc.assert(
      fc.property(fc.nat(fromHex(session).length - 1), fc.nat(255), (at, value) => {
        const changed = fromHex(session).with(at, value);
        expect([undefined, 'corrupt-record']).toContain(codeOf(() => decodeSession(crypto, changed)));
      }),
      { seed: 13, numRuns: 500 },
    );
  });
});

it('the layout of a peer record', () => {
  const peer = { identityKey: Uint8Array.of(7, 8, 9), signedPrekeyIds: [0x01020304, 5] };
  const record = `01${'00'}${'0003070809'}${'02'}${'0102030400000005'}`;
  expect(hex(encodePeer(peer))).toBe(record);
  for (const reserved of ['00', '01', '02', 'ff'])
    expect(decodePeer(fromHex(`01${reserved}${record.slice(4)}`))).toEqual(peer);
});
