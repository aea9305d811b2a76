/** Very many sockets that are opened, broken at once, and come back. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientRuntime } from '@sealwire/client/runtime';
import { atOnce } from '@sealwire/light/at-once';
import type { LightDevice } from '@sealwire/light/device';
import { DEVICES_EACH, drillAccount } from './drill-account.ts';

const AT_ONCE = 8;
const OPEN_AT_ONCE = 50;
const LOOK_MS = 50;
const PATIENCE_MS = 120_000;

export class Storm {
  readonly #devices: LightDevice[] = [];
  /** One device of each. */
  readonly #accounts: LightDevice[] = [];

  /** Accounts and tokens for `sockets` devices: what takes long is done before. `runtime` writes down what comes to them, which nothing should. */
  async prepare(
    server: string,
    prefix: string,
    sockets: number,
    runtime: ClientRuntime,
    invitation?: string,
  ): Promise<void> {
    const accounts = Array.from({ length: Math.ceil(sockets / DEVICES_EACH) }, (_, i) => `${prefix}storm-${i}`);
    await atOnce(accounts, AT_ONCE, async (name) => {
      const devices = await drillAccount(server, name, runtime, invitation);
      this.#accounts.push(devices[0]!);
      for (const device of devices) await device.token();
      this.#devices.push(...devices);
    });
    this.#devices.splice(sockets);
  }

  get sockets(): number {
    return this.#devices.length;
  }

  /** Opens all, some at a time: this is no storm yet. Resolves with the number of those that are welcome in their time. */
  async gather(): Promise<number> {
    await atOnce(this.#devices, OPEN_AT_ONCE, async (device) => {
      void device.hold();
      await untilOnline([device]);
    });
    return onlineOf(this.#devices);
  }

  /** Breaks all at once. Resolves with how many are `back`, and after what time, ms. */
  async break(): Promise<{ readonly back: number; readonly ms: number }> {
    const began = performance.now();
    for (const device of this.#devices) device.drop();
    await untilOnline(this.#devices);
    return { back: onlineOf(this.#devices), ms: performance.now() - began };
  }

  end(): void {
    for (const device of this.#devices) device.end();
  }

  /** The accounts are deleted; for a server that stays. With one line for each that could not be. */
  async leave(): Promise<string[]> {
    const remain: string[] = [];
    for (const device of this.#accounts)
      await device.deleteAccount().catch((error: Error) => {
        remain.push(`${device.id}: ${error.message}`);
      });
    return remain;
  }
}

/** Or no more in their time. Who was closed for good does not come any more. */
async function untilOnline(devices: readonly LightDevice[]): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (devices.some(({ online, refused }) => !online && refused === undefined) && performance.now() < deadline)
    await pause(LOOK_MS);
}

function onlineOf(devices: readonly LightDevice[]): number {
  return devices.filter(({ online }) => online).length;
}
