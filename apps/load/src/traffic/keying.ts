/** The key directory: devices publish their keys, then take each other's bundles (docs/spec/lime-key-server.md). */

import { LIGHT_SUITE } from '@sealwire/light/account';
import { atOnce } from '@sealwire/light/at-once';
import type { LightDevice } from '@sealwire/light/device';
import { encodeBase64url } from '@sealwire/wire/base64url';
import type { LimeAnswer, LimeRequest } from '@sealwire/wire/lime-server';
import { LoadError } from '../errors.ts';
import type { Identities, Playing, Scene } from './activity.ts';
import { askAtRate } from './asking.ts';
import { socketOf } from './idling.ts';

const AT_ONCE = 8;
const ONE_TIME_KEYS = 100;
const SEED_BYTES = 32;
/** Of liblime's columns: 31 bits. */
const MOST_KEY_ID = 0x7fff_ffff;
const ALREADY_IN = 0x05;

export class Keying implements Playing {
  readonly #scene: Scene;
  readonly #rate: number;
  readonly #identities: Identities;
  readonly #devices: readonly LightDevice[];
  /** One-time keys that were handed out: none may be twice. */
  readonly #handedOut = new Set<string>();

  constructor(identities: Identities, rate: number, scene: Scene) {
    this.#scene = scene;
    this.#rate = rate;
    this.#identities = identities;
    this.#devices = identities.map((identity) => socketOf(identity, scene));
  }

  async prepare(): Promise<void> {
    const { tally, now } = this.#scene;
    await atOnce([...this.#devices.keys()], AT_ONCE, async (index) => {
      const device = this.#devices[index]!;
      await device.token();
      const began = now();
      const registered = await device.askDirectory(this.#registration(index));
      // Of an earlier run: its keys are there, and get company.
      if (registered.kind === 'error' && registered.code === ALREADY_IN)
        check(
          await device.askDirectory({
            kind: 'postOneTimePrekeys',
            suite: LIGHT_SUITE,
            oneTimePrekeys: this.#oneTimeKeys(),
          }),
        );
      else check(registered);
      tally.time('publish', now() - began);
      tally.count('published');
    });
  }

  async play(from: number, until: number, signal: AbortSignal): Promise<void> {
    const { random, tally, offences } = this.#scene;
    const pick = () => Math.floor(random() * this.#devices.length);
    if (this.#devices.length < 2) return;
    await askAtRate({ name: 'bundle', rate: this.#rate, from, until, signal, scene: this.#scene }, async () => {
      const asker = pick();
      const target = (asker + 1 + Math.floor(random() * (this.#devices.length - 1))) % this.#devices.length;
      const answer = check(await this.#devices[asker]!.takeBundles([this.#devices[target]!.id]));
      if (answer.kind !== 'peerBundle') throw new Error('the directory answered something else than bundles');
      for (const { device, bundle } of answer.peers) {
        if (device !== this.#devices[target]!.id)
          offences.add('foreign', `a bundle of ${device} for ${this.#devices[target]!.id}`);
        if (!bundle) tally.count('withoutBundle');
        else if (!bundle.oneTimePrekey) tally.count('withoutOneTimeKey');
        else {
          const key = encodeBase64url(bundle.oneTimePrekey.publicKey);
          if (this.#handedOut.has(key))
            offences.add('keyTwice', `one-time key ${bundle.oneTimePrekey.id} of ${device}`);
          this.#handedOut.add(key);
        }
      }
    });
  }

  async end(): Promise<void> {
    for (const device of this.#devices) device.end();
  }

  #registration(index: number): LimeRequest {
    const { crypto, random } = this.#scene.runtime;
    const { identitySeed } = this.#identities[index]!;
    const publicKey = crypto.x25519.publicKey(random(SEED_BYTES));
    return {
      kind: 'registerUser',
      suite: LIGHT_SUITE,
      identityKey: crypto.ed25519.publicKey(identitySeed),
      signedPrekey: { id: this.#keyId(), publicKey, signature: crypto.ed25519ctx.sign(identitySeed, publicKey) },
      oneTimePrekeys: this.#oneTimeKeys(),
    };
  }

  #oneTimeKeys(): { readonly id: number; readonly publicKey: Uint8Array }[] {
    const { crypto, random } = this.#scene.runtime;
    return Array.from({ length: ONE_TIME_KEYS }, () => ({
      id: this.#keyId(),
      publicKey: crypto.x25519.publicKey(random(SEED_BYTES)),
    }));
  }

  #keyId(): number {
    const bytes = this.#scene.runtime.random(4);
    return 1 + (new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) % MOST_KEY_ID);
  }
}

function check(answer: LimeAnswer): LimeAnswer {
  if (answer.kind === 'error')
    throw new LoadError('failure', `the key directory refuses with error ${answer.code}: ${answer.text}`);
  return answer;
}
