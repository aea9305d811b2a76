/**
 * The channels over which a new device and one of an account's find each other (docs/spec/linking.md section 2). They live for a minute and
 * a half, in the memory of every API server: what one is given the bus brings to the others. Nothing of them is worth a store: who loses
 * one makes another.
 */
import type { Bus, Subscription } from '@sealwire/bus/port';
import type { RandomBytes } from '@sealwire/crypto/port';
import type { Log } from '@sealwire/service/log';
import { Problem } from '@sealwire/service/problem';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { LIMITS } from '@sealwire/wire/limits';
import { LINK_ID_BYTES, LINK_MESSAGE, LINKS_CHANNEL, type LinkSlot } from '@sealwire/wire/linking';
import { WireError } from '@sealwire/wire/wire-error';

/** The news that there is a channel. */
const OPENED = 0;
const LAST_SLOT = 5;

export interface LinkChannelsDeps {
  readonly bus: Bus;
  readonly random: RandomBytes;
  readonly now: () => number;
  readonly log: Log;
}

interface Channel {
  expiresAt: number;
  readonly messages: Map<number, Uint8Array>;
}

export class LinkChannels {
  /** By id, base64url; the oldest first. */
  readonly #channels = new Map<string, Channel>();
  readonly #deps: LinkChannelsDeps;

  constructor(deps: LinkChannelsDeps) {
    this.#deps = deps;
  }

  /** Hears the other servers until the subscription that it answers ends. */
  listen(): Promise<Subscription> {
    return this.#deps.bus.subscribe(LINKS_CHANNEL, (bytes) => this.#heard(bytes));
  }

  /** Throws `unavailable` while too many are open. */
  open(): { readonly id: Uint8Array; readonly expiresAt: number } {
    const { random, now } = this.#deps;
    this.#forgetExpired();
    if (this.#channels.size >= LIMITS.linksOpen.value) throw new Problem('unavailable');
    const id = random(LINK_ID_BYTES);
    const expiresAt = now() + LIMITS.linkMs.value;
    this.#channels.set(encodeBase64url(id), { expiresAt, messages: new Map() });
    this.#tell(id, OPENED, new Uint8Array(0), expiresAt);
    return { id, expiresAt };
  }

  /**
   * Each word gives the other device as long again to answer. The same again changes nothing, but is told to the other servers once more.
   * Throws `not-found` for a channel that is over, `conflict` for another word than the one that was left.
   */
  leave(id: Uint8Array, slot: LinkSlot, message: Uint8Array): void {
    const channel = this.#find(id);
    const left = channel.messages.get(slot);
    if (left && Buffer.compare(left, message) !== 0)
      throw new Problem('conflict', { detail: 'another device has answered this link code: make a new one' });
    channel.messages.set(slot, message);
    channel.expiresAt = this.#deps.now() + LIMITS.linkMs.value;
    this.#tell(id, slot, message, channel.expiresAt);
  }

  /** Undefined: not left yet. Throws `not-found`. */
  read(id: Uint8Array, slot: number): Uint8Array | undefined {
    return this.#find(id).messages.get(slot);
  }

  #find(id: Uint8Array): Channel {
    const channel = this.#channels.get(encodeBase64url(id));
    if (!channel || channel.expiresAt <= this.#deps.now())
      throw new Problem('not-found', { detail: 'this link code is over: make a new one on the new device' });
    return channel;
  }

  #forgetExpired(): void {
    const now = this.#deps.now();
    for (const [id, { expiresAt }] of this.#channels) if (expiresAt <= now) this.#channels.delete(id);
  }

  /** What is lost on the way is said again by the device that waits for an answer. */
  #tell(id: Uint8Array, slot: number, message: Uint8Array, expiresAt: number): void {
    const { bus, log } = this.#deps;
    bus
      .publish(LINKS_CHANNEL, LINK_MESSAGE.encode({ id, slot, message, expiresAt }))
      .catch((error: Error) => log.warn('link-not-told', { reason: error.message }));
  }

  #heard(bytes: Uint8Array): void {
    try {
      const { id, slot, message, expiresAt } = LINK_MESSAGE.decode(bytes, 'bad-node-message');
      const name = encodeBase64url(id);
      const channel = this.#channels.get(name) ?? { expiresAt, messages: new Map<number, Uint8Array>() };
      this.#forgetExpired();
      if (!this.#channels.has(name) && this.#channels.size >= LIMITS.linksOpen.value) return;
      this.#channels.set(name, channel);
      channel.expiresAt = Math.max(channel.expiresAt, expiresAt);
      if (slot > OPENED && slot <= LAST_SLOT && !channel.messages.has(slot))
        channel.messages.set(slot, message.slice());
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#deps.log.warn('link-undecodable', { reason: error.message });
    }
  }
}
