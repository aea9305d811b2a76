/** The parts of a frame against the devices of the accounts they name (delivery; cases E01, E02). */
import type { Send } from '@sealwire/wire/frames';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';

export interface Mismatch {
  /** Devices that the message left out. */
  readonly missing: readonly DeviceId[];
  /** Devices that it names and that are not there. */
  readonly extra: readonly DeviceId[];
}

/** Whether the frame has to name the sender's other devices. */
export function namesOwn({ allDevices, ownElsewhere }: Send): boolean {
  return allDevices && !ownElsewhere;
}

/**
 * Of each account named, and of the sender's too where the message is for all of its devices: it may not know yet that it has others.
 * The sender's own device is neither missing nor extra. `unknown`: the devices of such an account are not at hand. No two parts name
 * the same device.
 */
export function compareDevices(
  frame: Send,
  sender: DeviceId,
  devicesOf: (account: AccountAddress) => ReadonlySet<DeviceId> | undefined,
): Mismatch | 'none' | 'unknown' {
  const named = new Map<AccountAddress, number>();
  const extra: DeviceId[] = [];
  const accounts = new Map<AccountAddress, ReadonlySet<DeviceId>>();
  if (namesOwn(frame)) {
    const own = devicesOf(accountOf(sender));
    if (!own) return 'unknown';
    accounts.set(accountOf(sender), own);
    named.set(accountOf(sender), 0);
  }
  for (const { device } of frame.parts) {
    const account = accountOf(device);
    let devices = accounts.get(account);
    if (!devices) {
      devices = devicesOf(account);
      if (!devices) return 'unknown';
      accounts.set(account, devices);
      named.set(account, 0);
    }
    if (device === sender) continue;
    if (devices.has(device)) named.set(account, (named.get(account) ?? 0) + 1);
    else extra.push(device);
  }
  const missing: DeviceId[] = [];
  for (const [account, devices] of accounts) {
    const expected = devices.size - (devices.has(sender) ? 1 : 0);
    if (named.get(account) === expected) continue;
    const present = new Set(frame.parts.map(({ device }) => device));
    for (const device of devices) if (device !== sender && !present.has(device)) missing.push(device);
  }
  return missing.length === 0 && extra.length === 0 ? 'none' : { missing, extra };
}
