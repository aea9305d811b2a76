import { describe, expect, it } from '@jest/globals';
import { decodeClientFrame } from '@sealwire/wire/frame-codec';
import type { Part, Send } from '@sealwire/wire/frames';
import { accountOf, type DeviceId, parseAccountAddress, parseDeviceId, parseMessageId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import fc from 'fast-check';
import { plaintextOf } from './plaintext.ts';
import { areOfOneAttempt, sendFrames } from './send-frames.ts';

const OWN = parseAccountAddress('sip:alice@example.org');
const device = (account: string, n: number): DeviceId => parseDeviceId(`sip:${account}@example.org;gr=urn:uuid:${n}`);
const relayId = parseMessageId(new Uint8Array(16).fill(255));
const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

function framed(body: Uint8Array, parts: readonly Part[], isOwnServed = false): Send[] {
  return sendFrames({ relayId, body, parts, own: OWN, isOwnServed }).map((frame) => {
    expect(frame.length).toBeLessThanOrEqual(LIMITS.frameBytes.value);
    return decodeClientFrame(frame) as Send;
  });
}

describe('the frames of an attempt', () => {
  it('hold every part once, each account in one of them, our own in the first', () => {
    const account = fc.record({ devices: fc.integer({ min: 1, max: 10 }), bytes: fc.nat(5_000) });
    fc.assert(
      fc.property(fc.array(account, { maxLength: 60 }), fc.nat(60_000), fc.nat(9), (accounts, bodyBytes, copies) => {
        const parts = accounts.flatMap(({ devices, bytes }, at) =>
          Array.from({ length: devices }, (_, n) => ({ device: device(`m${at}`, n), content: new Uint8Array(bytes) })),
        );
        for (let n = 1; n <= copies; n++) parts.push({ device: device('alice', n), content: new Uint8Array(100) });
        const frames = framed(new Uint8Array(bodyBytes), parts);
        const named = frames.flatMap((frame) => frame.parts.map((part) => part.device));
        expect(new Set(named).size).toBe(parts.length);
        expect(named).toHaveLength(parts.length);
        const accountsOf = frames.map((frame) => [...new Set(frame.parts.map((part) => accountOf(part.device)))]);
        expect(new Set(accountsOf.flat()).size).toBe(accountsOf.flat().length);
        expect(frames.map(({ ownElsewhere }) => ownElsewhere)).toEqual(frames.map((_, index) => index > 0));
        if (copies > 0) expect(accountsOf[0]).toContain(OWN);
        expect(new Set(frames.map(({ id }) => base64url(id))).size).toBe(frames.length);
        for (const { id } of frames) expect(areOfOneAttempt(base64url(id), base64url(relayId))).toBe(true);
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  it('do not name our own devices once these have the message', () => {
    const parts = [{ device: device('bob', 1), content: new Uint8Array(1) }];
    expect(framed(new Uint8Array(1), parts, true)).toMatchObject([{ allDevices: true, ownElsewhere: true }]);
  });

  it('have room for the largest message to ten devices that begin a session on the largest suite', () => {
    expect(() => plaintextOf({ type: 'a/b', body: new Uint8Array(72 * 1_024 + 1) }, 'id', 1)).toThrow(
      expect.objectContaining({ code: 'message-too-large' }),
    );
    const id = parseDeviceId(`sip:${'a'.repeat(64)}@${'b'.repeat(120)};gr=${'c'.repeat(60)}`);
    const parts = Array.from({ length: 10 }, (_, n) => ({
      device: parseDeviceId(`${id.slice(0, -2)}${String(n).padStart(2, '0')}`),
      content: new Uint8Array(4_900),
    }));
    expect(framed(new Uint8Array(72 * 1_024 + 2_600), parts)).toHaveLength(1);
  });

  it('are refused for an account that fits none', () => {
    const parts = [1, 2, 3].map((n) => ({ device: device('bob', n), content: new Uint8Array(50_000) }));
    expect(() => framed(new Uint8Array(1), parts)).toThrow(expect.objectContaining({ code: 'message-too-large' }));
  });
});
