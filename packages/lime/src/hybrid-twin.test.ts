/** The real hybrid device in dialogue with the slow one of testing/slow-hybrid.ts, over schedules that reorder: both read everything. */
import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import type { DeviceId } from '@sealwire/wire/ids';
import fc from 'fast-check';
import { SlowHybrid } from './testing/slow-hybrid.ts';
import { bytes, crypto, text, World } from './testing/world.ts';

const SLOW = 'sip:slow@example.org;gr=urn:uuid:slow-1' as DeviceId;
const USER = 'sip:anybody@example.org';

const schedules = fc.record({
  weBegin: fc.boolean(),
  oneTimePrekey: fc.boolean(),
  kemStepMessages: fc.constantFrom(0, 3, 42),
  steps: fc.array(fc.record({ act: fc.constantFrom('we', 'they', 'us', 'them', 'restart'), pick: fc.nat(20) }), {
    minLength: 80,
    maxLength: 160,
  }),
});

describe.each(['c25519mlk512', 'c448mlk1024'] as const)('%s', (suite) => {
  it('with a second implementation: every message of either is read by the other, in any order', () => {
    let longForms = 0;
    let shortForms = 0;
    fc.assert(
      fc.property(schedules, ({ weBegin, oneTimePrekey, kemStepMessages, steps }) => {
        const world = new World({ kemStepMessages });
        const we = world.person('fast', suite);
        const they = new SlowHybrid(crypto, suite, SLOW, we.device, seededRandom(5), kemStepMessages);
        const toUs: [Uint8Array, string][] = [];
        const toThem: [Uint8Array, string][] = [];
        const count = (message: Uint8Array) => {
          if (message[1]! & 4) shortForms += 1;
          else longForms += 1;
          return message;
        };
        const weWrite = (content: string) => {
          const missing = we.lime.devicesWithoutSession(we.device, [SLOW]);
          const bundles = missing.map((device) => ({ device, bundle: they.bundle(oneTimePrekey) }));
          const plaintext = bytes(content);
          const input = { recipientUser: USER, recipients: [SLOW], plaintext, bundles, policy: 'DRMessage' } as const;
          toThem.push([count(we.lime.encrypt(we.device, input).recipients[0]!.message!), content]);
        };
        const theyWrite = (content: string) => toUs.push([count(they.write(content, USER)), content]);
        const weRead = ([message, content]: [Uint8Array, string]) => {
          const input = { sender: SLOW, recipientUser: USER, message, cipherMessage: new Uint8Array(0) };
          expect(text(we.lime.decrypt(we.device, input))).toBe(content);
        };
        const theyRead = ([message, content]: [Uint8Array, string]) => expect(they.read(message, USER)).toBe(content);

        if (weBegin) {
          weWrite('first');
          theyRead(toThem.pop()!);
        } else {
          const { bundle } = world.bundles([we.device])[0]!;
          they.begin({ ...bundle!, oneTimePrekey: oneTimePrekey ? bundle!.oneTimePrekey : undefined });
          theyWrite('first');
          weRead(toUs.pop()!);
        }
        steps.forEach(({ act, pick }, i) => {
          if (act === 'we') weWrite(`ours ${i}`);
          else if (act === 'they') theyWrite(`theirs ${i}`);
          else if (act === 'restart') we.restart();
          else if (act === 'us' && toUs.length > 0) weRead(toUs.splice(pick % toUs.length, 1)[0]!);
          else if (act === 'them' && toThem.length > 0) theyRead(toThem.splice(pick % toThem.length, 1)[0]!);
        });
        toUs.reverse().forEach(weRead);
        toThem.reverse().forEach(theyRead);
      }),
      { seed: 45, numRuns: suite === 'c25519mlk512' ? 40 : 15 },
    );
    expect(longForms).toBeGreaterThan(100);
    expect(shortForms).toBeGreaterThan(100);
  }, 120_000);
});
