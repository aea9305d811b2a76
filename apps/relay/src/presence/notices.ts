/**
 * What a socket is told of others, from one notice to the next: the last word on each, at most one notice a second, none while it reads slowly.
 * A thousand contacts who come online at once are one notice.
 */
import { encodeServerFrame } from '@sealwire/wire/frame-codec';
import type { Presence, PresenceState } from '@sealwire/wire/frames';
import type { AccountAddress } from '@sealwire/wire/ids';
import { ticks } from '../time/timer-wheel.ts';
import type { Showing } from './showing.ts';

const EVERY_TICKS = ticks(1_000);
/** The longest addresses of so many fit a frame. */
const PEERS_PER_FRAME = 400;
/** A socket with more before it is told later. */
const SLOW_BYTES = 64 * 1_024;

type StateOf = (account: AccountAddress, peer: AccountAddress) => PresenceState;

export class PresenceNotices {
  private readonly waiting = new Set<Showing>();

  constructor(private readonly stateOf: StateOf) {}

  /** There may be something to tell of `account`. */
  changed(showing: Showing, account: AccountAddress): void {
    showing.untold.add(account);
    this.waiting.add(showing);
  }

  flush(tick: number): void {
    for (const showing of this.waiting) {
      const { session, untold } = showing;
      if (!session.closed && (tick < showing.quietUntil || session.writer.waitingBytes > SLOW_BYTES)) continue;
      this.waiting.delete(showing);
      if (session.closed) continue;
      const peers = newsFor(showing, this.stateOf);
      untold.clear();
      if (peers.length === 0) continue;
      showing.quietUntil = tick + EVERY_TICKS;
      for (let at = 0; at < peers.length; at += PEERS_PER_FRAME)
        session.writer.frame(encodeServerFrame({ kind: 'presence', peers: peers.slice(at, at + PEERS_PER_FRAME) }));
    }
  }
}

/** What differs from what the socket knows. Of whom it does not show itself to it hears nothing, the end of it neither. */
function newsFor({ account: own, peers, untold, told }: Showing, stateOf: StateOf): Presence['peers'][number][] {
  const news: Presence['peers'][number][] = [];
  for (const account of untold) {
    if (!peers.has(account)) {
      told.delete(account);
      continue;
    }
    const state = stateOf(account, own);
    if (state === (told.get(account) ?? 'offline')) continue;
    if (state === 'offline') told.delete(account);
    else told.set(account, state);
    news.push({ account, state });
  }
  return news;
}
