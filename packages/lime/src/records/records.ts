/**
 * LIME's records in a LimeStore: names, decoding, and a cache. Reading gives decoded values; writing gives changes, which the caller saves
 * together. Device ids hold no white space (wire/ids.ts), so names made of them with spaces between are unambiguous.
 *
 *   device <own>   prekey <own> <id>   active <own> <peer>   stale <own> <peer> <role><Ek>   init <own> <SPk id> <Ik><Ek>   peer <peer>
 */
import type { CryptoProvider, SuiteName } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import { hex } from '../bytes/hex.ts';
import { LimeError } from '../errors.ts';
import type { X3dhInit } from '../format/x3dh-init.ts';
import { decodedValue, keepDecoded } from './decoded-record.ts';
import {
  decodeDevice,
  decodeOneTimePrekey,
  encodeDevice,
  encodeOneTimePrekey,
  type OwnDevice,
  type OwnOneTimePrekey,
} from './device-record.ts';
import { decodePeer, encodePeer, type Peer } from './peer-record.ts';
import { decodeSession, encodeSession, type Session } from './session-record.ts';
import type { LimeChange, LimeStore } from './store.ts';

/** An init record has no content: that it exists says all. */
const SEEN = Uint8Array.of(1);

export class Records {
  readonly #crypto: CryptoProvider;
  readonly #store: LimeStore;

  constructor(crypto: CryptoProvider, store: LimeStore) {
    this.#crypto = crypto;
    this.#store = store;
  }

  save(changes: readonly LimeChange[]): void {
    if (changes.length > 0) this.#store.save(changes);
  }

  // Local devices and their prekeys

  deviceIds(): DeviceId[] {
    return this.#store.keys('device ').map((key) => key.slice('device '.length) as DeviceId);
  }

  findDevice(device: DeviceId): OwnDevice | undefined {
    return this.#read(`device ${device}`, (record) => decodeDevice(this.#crypto, record));
  }

  /** Throws LimeError `unknown-device`. */
  device(device: DeviceId): OwnDevice {
    const found = this.findDevice(device);
    if (!found) throw new LimeError('unknown-device', `no local device ${device}`, [device]);
    return found;
  }

  /** Throws LimeError `unknown-device` or `inactive-device`. */
  activeDevice(device: DeviceId): OwnDevice {
    const found = this.device(device);
    if (found.active) return found;
    throw new LimeError('inactive-device', `${device} is not registered at the key server yet`, [device]);
  }

  deviceChange(device: DeviceId, value: OwnDevice): LimeChange {
    return this.#write(`device ${device}`, value, encodeDevice(this.#crypto, value));
  }

  findOneTimePrekey(device: DeviceId, id: number): OwnOneTimePrekey | undefined {
    return this.#read(`prekey ${device} ${id}`, (record) => decodeOneTimePrekey(this.#crypto, record));
  }

  /** In the order of their ids. */
  oneTimePrekeys(device: DeviceId): OwnOneTimePrekey[] {
    const prefix = `prekey ${device} `;
    const ids = this.#store.keys(prefix).map((key) => Number(key.slice(prefix.length)));
    return ids.sort((a, b) => a - b).map((id) => this.findOneTimePrekey(device, id)!);
  }

  oneTimePrekeyChange(device: DeviceId, suite: SuiteName, prekey: OwnOneTimePrekey): LimeChange {
    const record = encodeOneTimePrekey(this.#crypto, suite, prekey);
    return this.#write(`prekey ${device} ${prekey.id}`, prekey, record);
  }

  oneTimePrekeyRemoval(device: DeviceId, id: number): LimeChange {
    return removal(`prekey ${device} ${id}`);
  }

  // First messages without one-time prekey, remembered until the signed prekey that they used is deleted

  hasSeenInit(me: DeviceId, init: X3dhInit): boolean {
    return this.#store.load(initKey(me, init)) !== undefined;
  }

  /** How many of the same peer are remembered, for the same signed prekey. */
  countInits(me: DeviceId, init: X3dhInit): number {
    return this.#store.keys(initsOfPeer(me, init)).length;
  }

  initChange(me: DeviceId, init: X3dhInit): LimeChange {
    return { key: initKey(me, init), value: SEEN };
  }

  initRemovals(me: DeviceId, signedPrekeyId: number): LimeChange[] {
    return this.#store.keys(`init ${me} ${signedPrekeyId} `).map(removal);
  }

  // Sessions

  findActiveSession(me: DeviceId, peer: DeviceId): Session | undefined {
    return this.#readSession(`active ${me} ${peer}`);
  }

  /** The stale session of this role that was begun with this ephemeral key. */
  findStaleSession(me: DeviceId, peer: DeviceId, name: Pick<Session, 'role' | 'ephemeralKey'>): Session | undefined {
    return this.#readSession(staleKey(me, peer, name));
  }

  /** The longest stale first. */
  staleSessions(me: DeviceId, peer: DeviceId): Session[] {
    const sessions = this.#store.keys(`stale ${me} ${peer} `).map((key) => this.#readSession(key)!);
    return sessions.sort((a, b) => a.staleSince! - b.staleSince!);
  }

  activeSessionChange(me: DeviceId, peer: DeviceId, session: Session): LimeChange {
    return this.#write(`active ${me} ${peer}`, session, encodeSession(this.#crypto, session));
  }

  activeSessionRemoval(me: DeviceId, peer: DeviceId): LimeChange {
    return removal(`active ${me} ${peer}`);
  }

  staleSessionChange(me: DeviceId, peer: DeviceId, session: Session): LimeChange {
    return this.#write(staleKey(me, peer, session), session, encodeSession(this.#crypto, session));
  }

  staleSessionRemoval(me: DeviceId, peer: DeviceId, session: Session): LimeChange {
    return removal(staleKey(me, peer, session));
  }

  /**
   * Stale sessions of `me` with anybody: those that became so before `time` go. One that did after
   * `now`, by a clock that was ahead, counts from now.
   */
  expiredSessions(me: DeviceId, time: number, now: number): LimeChange[] {
    return this.#store.keys(`stale ${me} `).flatMap((key) => {
      const session = this.#readSession(key)!;
      if (session.staleSince! < time) return [removal(key)];
      if (session.staleSince! <= now) return [];
      const dated = { ...session, staleSince: now };
      return [this.#write(key, dated, encodeSession(this.#crypto, dated))];
    });
  }

  /** All sessions of `me` with `peer`. */
  sessionRemovals(me: DeviceId, peer: DeviceId): LimeChange[] {
    return [`active ${me} ${peer}`, ...this.#store.keys(`stale ${me} ${peer} `)].map(removal);
  }

  // Peers

  findPeer(peer: DeviceId): Peer | undefined {
    return this.#read(`peer ${peer}`, decodePeer);
  }

  /** True when `identityKey` contradicts what is remembered of the peer. */
  isChangedIdentity(peer: DeviceId, identityKey: Uint8Array): boolean {
    const known = this.findPeer(peer)?.identityKey;
    return known !== undefined && !this.#crypto.equal(known, identityKey);
  }

  peerChange(peer: DeviceId, value: Peer): LimeChange {
    return this.#write(`peer ${peer}`, value, encodePeer(value));
  }

  peerRemoval(peer: DeviceId): LimeChange {
    return removal(`peer ${peer}`);
  }

  #readSession(key: string): Session | undefined {
    return this.#read(key, (record) => decodeSession(this.#crypto, record));
  }

  #read<T extends object>(key: string, decode: (record: Uint8Array) => T): T | undefined {
    const record = this.#store.load(key);
    if (!record) return undefined;
    return (decodedValue(record) as T | undefined) ?? keepDecoded(record, decode(record));
  }

  #write(key: string, value: object, record: Uint8Array): LimeChange {
    keepDecoded(record, value);
    return { key, value: record };
  }
}

function removal(key: string): LimeChange {
  return { key, value: undefined };
}

function staleKey(me: DeviceId, peer: DeviceId, session: Pick<Session, 'role' | 'ephemeralKey'>): string {
  return `stale ${me} ${peer} ${session.role === 'initiator' ? 'i' : 'r'}${hex(session.ephemeralKey)}`;
}

function initsOfPeer(me: DeviceId, init: X3dhInit): string {
  return `init ${me} ${init.signedPrekeyId} ${hex(init.identityKey.bytes)}`;
}

function initKey(me: DeviceId, init: X3dhInit): string {
  return initsOfPeer(me, init) + hex(init.ephemeralKey.bytes);
}
