/**
 * vectors/lime-5.4.json: dialogues of our devices with genuine liblime 5.4, recorded live (docs/spec/lime.md, "Hybrid suites"). Replayed here
 * with the same randomness: what we write must be, byte for byte, what liblime read then, and what it wrote must be read.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { nodeCrypto } from '@sealwire/crypto/node';
import type { SuiteName } from '@sealwire/crypto/port';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import type { DeviceId } from '@sealwire/wire/ids';
import { hex } from './bytes/hex.ts';
import { Lime, type PeerBundle } from './lime.ts';
import { MemoryLimeStore } from './testing/memory-store.ts';
import { fromHex } from './testing/vector-file.ts';
import { bytes, text } from './testing/world.ts';

interface RecordedPrekey {
  readonly id: number;
  readonly publicKey: string;
}

/** One of ours, by its hash, or one of liblime's. `direct`: without a cipherMessage. */
interface Event {
  readonly wrote?: string;
  readonly direct?: boolean;
  readonly length?: number;
  readonly sha256?: string;
  readonly cipherMessageSha256?: string;
  readonly read?: string;
  readonly message?: string;
  readonly cipherMessage?: string;
}

interface Dialogue {
  readonly suite: SuiteName;
  readonly us: DeviceId;
  readonly them: DeviceId;
  readonly user: string;
  readonly seed: number;
  readonly now: number;
  readonly oneTimePrekeys: number;
  /** Where we began. */
  readonly bundle?: {
    readonly identityKey: string;
    readonly signedPrekey: RecordedPrekey & { readonly signature: string };
    readonly oneTimePrekey?: RecordedPrekey;
  };
  readonly events: readonly Event[];
}

const { dialogues } = JSON.parse(readFileSync(new URL('../vectors/lime-5.4.json', import.meta.url), 'utf8')) as {
  dialogues: Dialogue[];
};
/** Type bit 2 of a message: the short form of the header. */
const isLong = (message: Uint8Array) => (message[1]! & 4) === 0;

const cases = [nodeCrypto(), nobleCrypto()].flatMap((crypto) =>
  dialogues.map((dialogue) => ({
    crypto,
    dialogue,
    title: `${dialogue.suite}, ${dialogue.bundle ? 'begun by us' : 'begun by liblime'}, on ${crypto.name}`,
  })),
);

describe('dialogues with liblime 5.4', () => {
  it.each(cases)(
    '$title',
    ({ crypto, dialogue }) => {
      const { suite, us, them, user, seed, now, events } = dialogue;
      const settings = { oneTimePrekeysAtRegistration: dialogue.oneTimePrekeys };
      const store = new MemoryLimeStore();
      const lime = new Lime({ crypto, store, random: seededRandom(seed), now: () => now, settings });
      lime.createDevice(us, suite);
      lime.activateDevice(us);
      const sha256 = (message: Uint8Array) => hex(crypto.sha256(message));
      const longForms = { ours: 0, theirs: 0 };
      for (const event of events) {
        if (event.wrote !== undefined) {
          const bundles = lime.devicesWithoutSession(us, [them]).map((device) => bundleOf(device, dialogue));
          const plaintext = bytes(event.wrote);
          const policy = event.direct ? 'DRMessage' : 'cipherMessage';
          const sent = lime.encrypt(us, { recipientUser: user, recipients: [them], plaintext, bundles, policy });
          const message = sent.recipients[0]!.message!;
          expect([message.length, sha256(message)]).toEqual([event.length, event.sha256]);
          if (event.cipherMessageSha256) expect(sha256(sent.cipherMessage)).toBe(event.cipherMessageSha256);
          if (isLong(message)) longForms.ours += 1;
        } else {
          const message = fromHex(event.message!);
          const cipherMessage = fromHex(event.cipherMessage ?? '');
          const plaintext = lime.decrypt(us, { sender: them, recipientUser: user, message, cipherMessage });
          expect(text(plaintext)).toBe(event.read);
          if (isLong(message)) longForms.theirs += 1;
        }
      }
      // Both sides announced keys, and both used short headers for most of the time.
      expect(longForms.ours).toBeGreaterThan(0);
      expect(longForms.theirs).toBeGreaterThan(0);
      expect(longForms.ours + longForms.theirs).toBeLessThan(events.length / 4);
      expect(events.length).toBeGreaterThan(100);
    },
    60_000,
  );
});

function bundleOf(device: DeviceId, { bundle }: Dialogue): PeerBundle {
  const { identityKey, signedPrekey, oneTimePrekey } = bundle!;
  return {
    device,
    bundle: {
      identityKey: fromHex(identityKey),
      signedPrekey: {
        id: signedPrekey.id,
        publicKey: fromHex(signedPrekey.publicKey),
        signature: fromHex(signedPrekey.signature),
      },
      oneTimePrekey: oneTimePrekey && { id: oneTimePrekey.id, publicKey: fromHex(oneTimePrekey.publicKey) },
    },
  };
}
