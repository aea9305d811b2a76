/** Sockets that do nothing but stay: what a server carries all day. */
import { LightDevice } from '@sealwire/light/device';
import type { Identities, Playing, Scene } from './activity.ts';
import { connectAll } from './connecting.ts';
import { limitAdvice } from './limit-advice.ts';

export class Idling implements Playing {
  readonly #scene: Scene;
  readonly #devices: readonly LightDevice[];

  constructor(identities: Identities, scene: Scene) {
    this.#scene = scene;
    this.#devices = identities.map((identity) => socketOf(identity, scene));
  }

  async prepare(): Promise<void> {
    const { tally } = this.#scene;
    tally.level('online', () => this.#devices.filter(({ online }) => online).length);
    await connectAll(this.#scene, this.#devices);
  }

  /** Links that are lost meanwhile are counted, and come back by themselves. */
  play(_from: number, until: number, signal: AbortSignal): Promise<void> {
    return untilOver(until, this.#scene.now, signal);
  }

  async end(): Promise<void> {
    for (const device of this.#devices) device.end();
  }
}

/** A device that counts its lost links, and tells which limits it waits for. */
export function socketOf(identity: Identities[number], scene: Scene): LightDevice {
  const { tally, warn } = scene;
  return new LightDevice(
    identity,
    { ...scene, client: 'sealwire-load', waits: (why) => warn(limitAdvice(why)) },
    { closed: () => tally.count('linksLost') },
  );
}

export function untilOver(until: number, now: () => number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, until - now()));
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
