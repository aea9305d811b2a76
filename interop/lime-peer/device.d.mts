import type { Site } from './checks.mjs';

/** One plaintext for several devices. */
export interface Message {
  /** The Double Ratchet message for that device. */
  to(device: Device): Uint8Array;
}

export class Device {
  readonly id: string;
  static register(
    site: Site,
    curve: 'c25519' | 'c448',
    name: string,
    options?: { readonly client?: string; readonly oneTimePrekeys?: number },
  ): Promise<Device>;
  encrypt(to: readonly Device[], text: string): Promise<Message>;
  decrypt(from: Device, message: Message): Promise<{ status: string; text?: string }>;
  forget(peer: Device): Promise<unknown>;
}

export function header(
  message: Uint8Array,
  curve: 'c25519' | 'c448',
): { isDirect: boolean; hasInit: boolean; hasOneTimePrekey: boolean; number: number };
