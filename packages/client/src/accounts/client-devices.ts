/** The devices of this account: who belongs to it, who comes, and who goes (docs/spec/linking.md, docs/spec/manifest.md). */
import type { DeviceId } from '@sealwire/wire/ids';
import type { DeviceIdentity } from '@sealwire/wire/manifest';
import type { CallOptions } from '../client-options.ts';
import type { KeysFinding } from '../engines/engine.ts';
import type { DeviceInfo } from '../events.ts';
import type { ClientRuntime } from '../runtime.ts';
import type { Services } from '../services.ts';
import { type LinkRequest, linkAsOld } from './linking/link-as-old.ts';
import { type UndoneLinking, undoLinking } from './linking/newcomers.ts';
import { listDevices, removeDevice } from './own-account.ts';
import { admitDevice, type WaitingDevice, waitingDevices } from './waiting-devices.ts';

export interface ClientDevicesOptions {
  readonly services: Services;
  readonly runtime: ClientRuntime;
  /** Compares what the key directory holds of this device with what it should, and mends it. */
  readonly checkKeys: () => Promise<readonly KeysFinding[]>;
}

export class ClientDevices {
  readonly #services: Services;
  readonly #runtime: ClientRuntime;
  readonly #checkKeys: ClientDevicesOptions['checkKeys'];

  constructor({ services, runtime, checkKeys }: ClientDevicesOptions) {
    this.#services = services;
    this.#runtime = runtime;
    this.#checkKeys = checkKeys;
  }

  /** The account's devices as the server knows them. */
  list(): Promise<DeviceInfo[]> {
    return listDevices(this.#services);
  }

  /** LIME devices that registered with an app password of this account, and that nobody writes to until they are admitted. */
  waiting(): Promise<WaitingDevice[]> {
    return waitingDevices(this.#services);
  }

  /**
   * Names a waiting device in the manifest, under the identity keys that the user has compared: from then on it gets messages. Throws
   * `not-found`, and `identity-mismatch` when it registered other keys than these.
   */
  admit(id: DeviceId, identities: readonly DeviceIdentity[]): Promise<void> {
    return admitDevice(this.#services, this.#runtime, id, identities);
  }

  /** Cuts a device of this account off at once, then publishes a manifest without it. */
  remove(id: DeviceId): Promise<void> {
    return removeDevice(this.#services, this.#runtime, id);
  }

  /** Reads the code that a new device of this account shows (`Client.link`); nothing happens before it is approved. */
  answerLink(code: string, options: CallOptions = {}): Promise<LinkRequest> {
    return linkAsOld(this.#services, this.#runtime, code, options.signal);
  }

  /**
   * Takes out again the device that came to the account last, within the last ten minutes, as `remove` does. Repeated after an error it
   * goes on. Throws `nothing-to-undo`; `not-administrator` on a device that may not change the list, after it has cut the other one off.
   */
  undoLinking(): Promise<UndoneLinking> {
    return undoLinking(this.#services, this.#runtime);
  }

  /** What the device that let this one in handed over; undefined: nothing, or it was not let in by one. */
  handover(): Uint8Array | undefined {
    return this.#services.self.handover?.slice();
  }

  /**
   * Compares what the key directory holds of this device with what it should, and mends what differs; happens by itself once a day while
   * connected. What was found also becomes an event. Throws `ClientError`.
   */
  checkKeys(): Promise<readonly KeysFinding[]> {
    return this.#checkKeys();
  }
}
