/**
 * What this node believes of where devices are, from the bus: on a node, nowhere, or unknown. A
 * guess (house: the mailbox is the truth): a wrong one costs a device the wait for its next poll.
 * Of two sessions of a device the larger number is the newer, in whatever order they are told.
 * Decision 16 has the reasons.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import { lastUsed } from '../last-used.ts';

export interface Place {
  /** Undefined: nowhere. */
  readonly node: string | undefined;
  /** The newest session that was heard of; 0: of none. */
  readonly session: number;
}

const KNOWN_PLACES = 200_000;

export class Places {
  private readonly known = lastUsed<DeviceId, Place>(KNOWN_PLACES);
  /** Not called for at least one message: it was nowhere, or the bus did not take the call. */
  private readonly owed = lastUsed<DeviceId, true>(KNOWN_PLACES);

  find(device: DeviceId): Place | undefined {
    return this.known.get(device);
  }

  /** Answers whether the device is owed a wake-up call now that it has appeared. */
  opened(device: DeviceId, node: string, session: number): boolean {
    const before = this.known.peek(device);
    if (before && before.session >= session) return false;
    this.known.set(device, { node, session });
    return this.owed.delete(device);
  }

  closed(device: DeviceId, session: number): void {
    const before = this.known.peek(device);
    if (before?.node !== undefined && before.session <= session) this.nowhere(device, session);
  }

  /** All nodes are asked for the device: nowhere, until somebody answers. */
  asked(device: DeviceId): void {
    this.owed.delete(device);
    this.nowhere(device, 0);
  }

  /** It has a message that it was not called for. */
  owe(device: DeviceId): void {
    this.owed.set(device, true);
  }

  /** The question was lost. */
  notAsked(device: DeviceId): void {
    if (this.known.peek(device)?.node === undefined) this.known.delete(device);
  }

  /** Of where devices are; who is owed a call stays so. */
  clear(): void {
    this.known.clear();
  }

  private nowhere(device: DeviceId, session: number): void {
    this.known.set(device, { node: undefined, session });
  }
}
