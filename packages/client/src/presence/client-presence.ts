/** To whom this device shows itself, and who of them is online (docs/spec/presence.md): the SDK's door to both, and to who is typing. */
import type { RandomBytes } from '@sealwire/crypto/port';
import { encodeClientFrame } from '@sealwire/wire/frame-codec';
import type { Presence, PresenceState } from '@sealwire/wire/frames';
import { isGroupAddress } from '@sealwire/wire/group-address';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { ClientError } from '../errors.ts';
import type { Timers } from '../runtime.ts';
import type { Ledger } from '../storage/ledger.ts';
import {
  type PresenceSettings,
  presenceSettings,
  setPresenceSettings,
  setShownTo,
  shownTo,
} from './presence-records.ts';

export type { PresenceState } from '@sealwire/wire/frames';
export type { PresenceSettings } from './presence-records.ts';
export type { TypingEvent } from './typing.ts';

/** After a new link: whom the relay has not called online by then is not. */
const SETTLED_AFTER_MS = 5_000;

/** Somebody looks different than before. Not durable. */
export interface PresenceEvent {
  readonly account: AccountAddress;
  readonly state: PresenceState;
}

export interface ClientPresenceOptions {
  readonly ledger: Ledger;
  readonly random: RandomBytes;
  readonly timers: Timers;
  readonly me: DeviceId;
  readonly addressOf: (name: string) => AccountAddress;
  /** This device shows itself to none of them. */
  readonly isBlocked: (account: AccountAddress) => boolean;
  /** Undefined: there is no link. */
  readonly transmit: () => ((frame: Uint8Array) => void) | undefined;
}

export class ClientPresence {
  readonly #options: ClientPresenceOptions;
  readonly #listeners = new Set<(event: PresenceEvent) => void>();
  /** As the relay said last on this link; nobody who is offline. */
  #known = new Map<AccountAddress, PresenceState>();
  /** What the application was told last. */
  readonly #told = new Map<AccountAddress, PresenceState>();
  #away = false;
  /** Whether the relay has a list of ours on this link. */
  #isShown = false;
  #cancelSettling: (() => void) | undefined;

  constructor(options: ClientPresenceOptions) {
    this.#options = options;
  }

  /** Durable, for this device. Both are off until they are switched on. */
  settings(): PresenceSettings {
    return presenceSettings(this.#options.ledger);
  }

  /** Resolves when it is durable. What is left out stays as it is. */
  async set(settings: Partial<PresenceSettings>): Promise<void> {
    const { ledger, random } = this.#options;
    await ledger.commit((transaction) =>
      setPresenceSettings(transaction, { ...presenceSettings(transaction), ...settings }, random),
    );
    this.refresh();
  }

  /**
   * This device shows itself to these accounts and to no other: resolves when that is durable. Each of them sees it that shows itself to this
   * account, and is seen. Throws `ClientError`: `bad-address`, `limit-reached`.
   */
  async showTo(accounts: readonly string[]): Promise<void> {
    const { ledger, me, addressOf } = this.#options;
    const peers = [...new Set(accounts.map(addressOf))].filter((account) => account !== accountOf(me));
    if (peers.some(isGroupAddress))
      throw new ClientError('bad-address', 'a group is nobody who sees: name its members');
    const { value } = LIMITS.presencePeers;
    if (peers.length > value || showFrame(peers, false).length > LIMITS.frameBytes.value)
      throw new ClientError('limit-reached', `a device shows itself to at most ${value} accounts: leave some out`);
    await ledger.commit((transaction) => setShownTo(transaction, peers));
    this.refresh();
  }

  /** This device does not show itself to `account` any more, as to one who was blocked: resolves when that is durable. */
  async hideFrom(account: AccountAddress): Promise<void> {
    const { ledger } = this.#options;
    if (!shownTo(ledger).includes(account)) return;
    await ledger.commit((transaction) =>
      setShownTo(
        transaction,
        shownTo(transaction).filter((other) => other !== account),
      ),
    );
    this.refresh();
  }

  shownTo(): AccountAddress[] {
    return shownTo(this.#options.ledger);
  }

  /** As what this device is shown, until its process ends. */
  appear(state: 'online' | 'away'): void {
    const away = state === 'away';
    if (away === this.#away) return;
    this.#away = away;
    if (this.#isShown) this.#options.transmit()?.(encodeClientFrame({ kind: 'appear', away }));
  }

  /** Undefined: nothing is known, since there is no link or the account is not one of `showTo`. Throws `bad-address`. */
  of(account: string): PresenceState | undefined {
    const address = this.#options.addressOf(account);
    if (!this.#options.transmit() || !this.#peers().includes(address)) return undefined;
    return this.#known.get(address) ?? 'offline';
  }

  /** The answer ends it. */
  onPresence(listener: (event: PresenceEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The list may be another one, as after somebody was blocked: the relay is told. */
  refresh(): void {
    const peers = this.#peers();
    this.#show(peers);
    for (const account of [...this.#told.keys()]) {
      if (peers.includes(account)) continue;
      this.#known.delete(account);
      this.#tell(account);
    }
  }

  online(): void {
    this.#show(this.#peers());
    this.#cancelSettling?.();
    this.#cancelSettling = this.#options.timers.after(SETTLED_AFTER_MS, () => {
      this.#cancelSettling = undefined;
      for (const account of [...this.#told.keys()]) this.#tell(account);
    });
  }

  offline(): void {
    this.#cancelSettling?.();
    this.#cancelSettling = undefined;
    this.#isShown = false;
    this.#known = new Map();
  }

  /** What the relay says. It says nothing of whom we do not ask about. */
  received({ peers }: Presence): void {
    const asked = new Set(this.#peers());
    for (const { account, state } of peers) {
      if (!asked.has(account)) continue;
      if (state === 'offline') this.#known.delete(account);
      else this.#known.set(account, state);
      this.#tell(account);
    }
  }

  #show(peers: readonly AccountAddress[]): void {
    const send = this.#options.transmit();
    if (!send || (peers.length === 0 && !this.#isShown)) return;
    this.#isShown = true;
    send(showFrame(peers, this.#away));
  }

  #peers(): AccountAddress[] {
    if (!this.settings().online) return [];
    return this.shownTo().filter((account) => !this.#options.isBlocked(account));
  }

  /** Tells the application of `account`, if it looks different. */
  #tell(account: AccountAddress): void {
    const state = this.#known.get(account) ?? 'offline';
    if (state === (this.#told.get(account) ?? 'offline')) return;
    if (state === 'offline') this.#told.delete(account);
    else this.#told.set(account, state);
    for (const listener of [...this.#listeners]) listener({ account, state });
  }
}

function showFrame(accounts: readonly AccountAddress[], away: boolean): Uint8Array {
  return encodeClientFrame({ kind: 'show', accounts, away });
}
