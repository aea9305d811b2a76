/**
 * Who is online, for whom (docs/spec/presence.md): an account hears of another one only while each of the two shows itself to the other, so that
 * one that is not shown to looks at what an offline one looks like: nothing (case J05). All of it is in memory; what the bus loses of it the
 * next round makes good.
 */
import type { Metrics } from '@sealwire/service/metrics';
import type { PresenceState, Show } from '@sealwire/wire/frames';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { NodeMessage } from '@sealwire/wire/node-messages';
import type { Here } from '../nodes/peers.ts';
import type { Publisher } from '../nodes/publisher.ts';
import { RateLimit } from '../sending/rate-limits.ts';
import type { RelaySettings } from '../settings.ts';
import { receives } from '../sockets/sessions.ts';
import { ticks, type WheelEntry } from '../time/timer-wheel.ts';
import { PresenceNotices } from './notices.ts';
import type { Shower, Showing } from './showing.ts';
import { ShownElsewhere } from './shown-elsewhere.ts';
import { ShownHere } from './shown-here.ts';
import { better } from './states.ts';
import { PresenceTelling } from './telling.ts';

const LOOK_TICKS = ticks(1_000);
/** What the shortest list costs, in accounts. */
const LEAST_COST = 10;

export interface PresenceParts {
  readonly node: string;
  readonly publisher: Publisher;
  readonly settings: Pick<RelaySettings, 'presencePerAccount' | 'probeEveryMs'>;
  readonly now: () => number;
  readonly metrics: Pick<Metrics, 'rateLimitRejections'>;
  /** Whether a socket of the device receives its mail, here or elsewhere as far as this node knows. */
  readonly isReceiving: (device: DeviceId) => boolean;
}

/** What a socket has said of itself and the budget does not allow yet. */
interface Waiting {
  readonly peers: ReadonlySet<AccountAddress> | undefined;
  readonly away: boolean;
}

export class Presence implements WheelEntry {
  slot = -1;
  private readonly here: ShownHere;
  private readonly elsewhere: ShownElsewhere;
  private readonly notices: PresenceNotices;
  private readonly telling: PresenceTelling;
  private readonly updates: RateLimit;
  private readonly waiting = new Map<Shower, Waiting>();
  /** Those that receive nothing themselves: whether another socket does is looked up. */
  private readonly contactLanes = new Set<Showing>();

  constructor(private readonly parts: PresenceParts) {
    const { node, publisher, settings, now } = parts;
    this.here = new ShownHere((account, peer, isNew) => {
      this.telling.changed(account, peer, isNew);
      this.lookAt(account, peer);
    });
    this.elsewhere = new ShownElsewhere(settings.probeEveryMs);
    this.notices = new PresenceNotices((account, peer) => this.stateOf(account, peer));
    this.telling = new PresenceTelling(node, this.here, publisher);
    this.updates = new RateLimit(settings.presencePerAccount, now);
  }

  /** In place of what the session has shown before. What comes too fast waits: the last word counts. */
  show(session: Shower, { accounts, away }: Pick<Show, 'accounts' | 'away'>): void {
    this.take(session, { peers: new Set(accounts), away });
  }

  /** Without effect before a `show`. */
  appear(session: Shower, away: boolean): void {
    const peers = this.waiting.get(session)?.peers;
    if (peers || this.here.find(session)) this.take(session, { peers, away });
  }

  /** The socket is gone. */
  left(session: Shower): void {
    this.waiting.delete(session);
    const showing = this.here.find(session);
    if (showing) this.contactLanes.delete(showing);
    this.here.remove(session);
  }

  /** What another node says. */
  hear(message: Extract<NodeMessage, { kind: 'presence' | 'presence-round' }>): void {
    const { node } = message;
    if (node === this.parts.node) return;
    this.noteNode(node);
    if (message.kind === 'presence-round') {
      for (const [account, peer] of this.elsewhere.round(node, message.leaves)) this.lookAt(account, peer);
      return;
    }
    for (const { account, state, peers } of message.shown)
      for (const peer of peers) {
        if (!this.here.shows(peer, account)) continue;
        this.elsewhere.tell(node, account, peer, state);
        this.lookAt(account, peer);
        if (message.asks) this.telling.answer(node, peer, account);
      }
  }

  hearHere({ node, run }: Here): void {
    if (node !== this.parts.node) this.noteNode(node, run);
  }

  /** The bus may have lost anything. */
  lookAround(): void {
    this.telling.askAll();
  }

  /** What leaves with this node is told the others. */
  async stop(): Promise<void> {
    if (!this.elsewhere.isAlone) await this.telling.leave();
  }

  due(tick: number): number {
    for (const [account, peer] of this.here.due(tick)) this.elsewhere.forget(peer, account);
    for (const [account, peer] of this.elsewhere.due(tick)) this.lookAt(account, peer);
    if (tick % LOOK_TICKS === 0) this.lookAgain();
    this.telling.due(tick, this.elsewhere.isAlone);
    this.notices.flush(tick);
    return tick + 1;
  }

  /** How `account` appears to `peer`. Whether `peer` shows itself to it, too, is for the caller to know. */
  private stateOf(account: AccountAddress, peer: AccountAddress): PresenceState {
    return better(this.here.state(account, peer), this.elsewhere.state(account, peer));
  }

  private noteNode(node: string, run?: Uint8Array): void {
    if (this.elsewhere.heard(node, run)) this.telling.askAll();
  }

  /** `account` may look different to `peer`. */
  private lookAt(account: AccountAddress, peer: AccountAddress): void {
    for (const showing of this.here.showings(peer)) this.notices.changed(showing, account);
  }

  private take(session: Shower, wanted: Waiting): void {
    const isLate = this.waiting.has(session);
    this.waiting.set(session, wanted);
    if (this.apply(session, wanted) || isLate) return;
    this.parts.metrics.rateLimitRejections.inc({ limiter: 'relay-presence-per-account' });
  }

  /** False: it waits for the account's budget. */
  private apply(session: Shower, { peers, away }: Waiting): boolean {
    const before = this.here.find(session);
    const shown = peers ?? before?.peers ?? new Set();
    const account = before?.account ?? accountOf(session.device);
    const cost = LEAST_COST + shown.size;
    if (this.updates.waitMs(account, cost) > 0) return false;
    this.updates.take(account, cost);
    this.waiting.delete(session);
    const isOnline = this.isOnline(session);
    const showing = this.here.show(session, { peers: shown, away, isOnline });
    if (!receives(session.lane)) this.contactLanes.add(showing);
    // Of those that are on no list any more, what they were told is forgotten, too.
    for (const account of [...shown, ...showing.told.keys()]) this.notices.changed(showing, account);
    return true;
  }

  private lookAgain(): void {
    for (const [session, wanted] of this.waiting) this.apply(session, wanted);
    for (const { session, peers, away, isOnline } of this.contactLanes)
      if (this.isOnline(session) !== isOnline) this.here.show(session, { peers, away, isOnline: !isOnline });
  }

  private isOnline({ device, lane }: Shower): boolean {
    return receives(lane) || this.parts.isReceiving(device);
  }
}
