/**
 * Which accounts show themselves on this node, to whom and as what (docs/spec/presence.md section 2). What ends, by a socket that closes as by
 * a list that is shorter, lasts `GRACE_MS` longer: who comes back meanwhile was never away, and nobody can tell one end from the other.
 */
import type { PresenceState } from '@sealwire/wire/frames';
import type { AccountAddress } from '@sealwire/wire/ids';
import { ticks } from '../time/timer-wheel.ts';
import { type Shower, Showing } from './showing.ts';
import { better, type ShownState } from './states.ts';

export const GRACE_MS = 10_000;
/** Of this node, some 200 MB of them: what is beyond looks offline. */
const MOST_PAIRS = 1_000_000;

interface Pair {
  state: ShownState;
  /** Tick at which it ends; 0: it is true now. */
  endsAt: number;
}

/** What becomes of a change: `isNew` when `account` has not shown itself to `peer` here before. */
type OnChange = (account: AccountAddress, peer: AccountAddress, isNew: boolean) => void;

export class ShownHere {
  private readonly bySession = new Map<Shower, Showing>();
  private readonly byAccount = new Map<AccountAddress, Set<Showing>>();
  private readonly pairs = new Map<AccountAddress, Map<AccountAddress, Pair>>();
  /** Accounts with pairs that end. */
  private readonly ending = new Set<AccountAddress>();
  private tick = 0;
  private count = 0;

  constructor(private readonly changed: OnChange) {}

  find(session: Shower): Showing | undefined {
    return this.bySession.get(session);
  }

  showings(account: AccountAddress): Iterable<Showing> {
    return this.byAccount.get(account) ?? [];
  }

  /** How `account` appears to `peer` by what is shown here. */
  state(account: AccountAddress, peer: AccountAddress): PresenceState {
    return this.pairs.get(account)?.get(peer)?.state ?? 'offline';
  }

  shows(account: AccountAddress, peer: AccountAddress): boolean {
    return this.pairs.get(account)?.has(peer) ?? false;
  }

  /** Accounts that show themselves, and to whom. */
  all(): IterableIterator<[AccountAddress, ReadonlyMap<AccountAddress, unknown>]> {
    return this.pairs.entries();
  }

  /** In place of what the session has shown before. */
  show(session: Shower, shown: Pick<Showing, 'peers' | 'away' | 'isOnline'>): Showing {
    const showing = this.bySession.get(session) ?? this.add(new Showing(session));
    const before = showing.peers;
    Object.assign(showing, shown);
    this.settle(showing.account, before);
    this.settle(showing.account, showing.peers);
    return showing;
  }

  remove(session: Shower): void {
    const showing = this.bySession.get(session);
    if (!showing) return;
    this.bySession.delete(session);
    const others = this.byAccount.get(showing.account);
    others?.delete(showing);
    if (others?.size === 0) this.byAccount.delete(showing.account);
    this.settle(showing.account, showing.peers);
  }

  /** Ends what is over at `tick`. Answers pairs that are gone. */
  due(tick: number): [AccountAddress, AccountAddress][] {
    this.tick = tick;
    const gone: [AccountAddress, AccountAddress][] = [];
    for (const account of this.ending) {
      const pairs = this.pairs.get(account);
      let left = 0;
      for (const [peer, { endsAt }] of pairs ?? []) {
        if (endsAt === 0) continue;
        if (endsAt > tick) {
          left++;
          continue;
        }
        pairs?.delete(peer);
        this.count--;
        gone.push([account, peer]);
      }
      if (left === 0) this.ending.delete(account);
      if (pairs?.size === 0) this.pairs.delete(account);
    }
    for (const [account, peer] of gone) this.changed(account, peer, false);
    return gone;
  }

  private add(showing: Showing): Showing {
    const { session, account } = showing;
    this.bySession.set(session, showing);
    const others = this.byAccount.get(account);
    if (others) others.add(showing);
    else this.byAccount.set(account, new Set([showing]));
    return showing;
  }

  private settle(account: AccountAddress, peers: Iterable<AccountAddress>): void {
    const pairs = this.pairs.get(account) ?? new Map<AccountAddress, Pair>();
    for (const peer of peers) {
      const pair = pairs.get(peer);
      const state = this.live(account, peer);
      if (state === 'offline') {
        if (pair?.endsAt !== 0) continue;
        pair.endsAt = this.tick + ticks(GRACE_MS);
        this.ending.add(account);
      } else if (pair) {
        pair.endsAt = 0;
        if (pair.state === state) continue;
        pair.state = state;
        this.changed(account, peer, false);
      } else if (this.count < MOST_PAIRS) {
        this.count++;
        pairs.set(peer, { state, endsAt: 0 });
        this.pairs.set(account, pairs);
        this.changed(account, peer, true);
      }
    }
  }

  private live(account: AccountAddress, peer: AccountAddress): PresenceState {
    let state: PresenceState = 'offline';
    for (const { peers, away, isOnline } of this.showings(account))
      if (isOnline && peers.has(peer)) state = better(state, away ? 'away' : 'online');
    return state;
  }
}
