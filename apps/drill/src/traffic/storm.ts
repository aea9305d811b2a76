/** Very many sockets that are opened, broken at once, and come back. */
import { setTimeout as pause } from 'node:timers/promises';
import { nodeRuntime } from '@sealwire/client/node/runtime';
import { DEVICES_EACH, type LightDevice, makeLightAccount } from './light-device.ts';

const AT_ONCE = 8;
const LOOK_MS = 50;
const PATIENCE_MS = 120_000;

export class Storm {
  readonly #devices: LightDevice[] = [];

  /** Accounts and tokens for `sockets` devices: what takes long is done before. */
  async prepare(server: string, prefix: string, sockets: number, invitation?: string): Promise<void> {
    const runtime = nodeRuntime();
    const accounts = Array.from({ length: Math.ceil(sockets / DEVICES_EACH) }, (_, i) => `${prefix}storm-${i}`);
    const workers = Array.from({ length: AT_ONCE }, async () => {
      for (let name = accounts.shift(); name !== undefined; name = accounts.shift()) {
        const devices = await makeLightAccount(server, name, runtime, invitation);
        for (const device of devices) await device.token();
        this.#devices.push(...devices);
      }
    });
    await Promise.all(workers);
    this.#devices.splice(sockets);
  }

  get sockets(): number {
    return this.#devices.length;
  }

  /** Opens all; resolves when they are welcome. Rejects when that takes too long. */
  async gather(): Promise<void> {
    for (const device of this.#devices) device.hold();
    await this.#allOnline();
  }

  /** Breaks all at once. Resolves with the time until the last one is back, ms. */
  async break(): Promise<number> {
    const began = performance.now();
    for (const device of this.#devices) device.drop();
    await pause(LOOK_MS);
    await this.#allOnline();
    return performance.now() - began;
  }

  end(): void {
    for (const device of this.#devices) device.end();
  }

  /** The accounts are deleted; for a server that stays. */
  async leave(): Promise<void> {
    for (const [i, device] of this.#devices.entries()) if (i % DEVICES_EACH === 0) await device.deleteAccount();
  }

  async #allOnline(): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const missing = this.#devices.filter(({ online }) => !online);
      if (missing.length === 0) return;
      const refused = missing.filter((device) => device.refused !== undefined);
      if (refused.length > 0)
        throw new Error(`${refused.length} sockets were closed for good with ${refused[0]!.refused}`);
      if (performance.now() > deadline) throw new Error(`${missing.length} of ${this.sockets} sockets are not online`);
      await pause(LOOK_MS);
    }
  }
}
