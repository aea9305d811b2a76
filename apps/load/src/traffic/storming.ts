/** Sockets that break all at once, without a word, and come back with the back-off of real clients. */
import type { LightDevice } from '@sealwire/light/device';
import type { Settings } from '../plan.ts';
import { type Identities, type Playing, type Scene, waitFor } from './activity.ts';
import { connectAll } from './connecting.ts';
import { socketOf, untilOver } from './idling.ts';

export class Storming implements Playing {
  readonly #scene: Scene;
  readonly #every: number;
  readonly #devices: readonly LightDevice[];

  constructor(identities: Identities, { every }: Pick<Settings<'storm'>, 'every'>, scene: Scene) {
    this.#scene = scene;
    this.#every = every;
    this.#devices = identities.map((identity) => socketOf(identity, scene));
  }

  async prepare(): Promise<void> {
    this.#scene.tally.level('online', () => this.#devices.filter(({ online }) => online).length);
    await connectAll(this.#scene, this.#devices);
  }

  async play(_from: number, until: number, signal: AbortSignal): Promise<void> {
    const { now } = this.#scene;
    while (!signal.aborted && now() < until) {
      const next = now() + this.#every;
      await this.#break();
      await untilOver(Math.min(next, until), now, signal);
    }
  }

  async end(): Promise<void> {
    for (const device of this.#devices) device.end();
  }

  async #break(): Promise<void> {
    const { tally, now, patienceMs, offences } = this.#scene;
    const began = now();
    tally.count('storms');
    for (const device of this.#devices) device.drop();
    const missing = new Set(this.#devices);
    await waitFor(
      () => {
        for (const device of missing)
          if (device.online) {
            missing.delete(device);
            tally.time('back', now() - began);
          }
        return missing.size === 0;
      },
      patienceMs,
      now,
    );
    for (const device of missing) offences.add('lost', `the socket of ${device.id} did not come back`);
    if (missing.size === 0) tally.time('allBack', now() - began);
  }
}
