/**
 * What this node tells the others of who shows itself here: changes at once, and all of it again in rounds, at a pace that no bus feels. Nothing
 * is repeated that the bus refused: the next round has it.
 */
import type { AccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { NODES_CHANNEL, type NodePresence, nodeChannel } from '@sealwire/wire/node-messages';
import type { Publisher } from '../nodes/publisher.ts';
import { ticks } from '../time/timer-wheel.ts';
import type { ShownHere } from './shown-here.ts';

export const ROUND_MS = 60_000;
/** Of a round, each tick: 10,000 a second. A round of more than 600,000 pairs takes longer than `ROUND_MS`. */
const PAIRS_PER_TICK = 2_500;
const PAIRS_PER_MESSAGE = LIMITS.presencePeers.value;

type Pairs = Map<AccountAddress, Set<AccountAddress>>;
type Shown = NodePresence['shown'][number];

export class PresenceTelling {
  private readonly changes: Pairs = new Map();
  /** Pairs that are new here: whoever has the other side of one is to tell it. */
  private readonly news: Pairs = new Map();
  /** By node. */
  private readonly answers = new Map<string, Pairs>();
  private round: { readonly asks: boolean; readonly left: ReturnType<ShownHere['all']> } | undefined;
  private roundAsks = false;
  private nextRound = 0;
  private isTelling = false;

  constructor(
    private readonly node: string,
    private readonly here: ShownHere,
    private readonly publisher: Publisher,
  ) {}

  changed(account: AccountAddress, peer: AccountAddress, isNew: boolean): void {
    add(isNew ? this.news : this.changes, account, peer);
  }

  answer(node: string, account: AccountAddress, peer: AccountAddress): void {
    const pairs = this.answers.get(node) ?? new Map();
    this.answers.set(node, pairs);
    add(pairs, account, peer);
  }

  /** Nobody knows what was lost: all of it again, and everybody is asked for the same. */
  askAll(): void {
    this.round = undefined;
    this.roundAsks = true;
    this.nextRound = 0;
  }

  due(tick: number, isAlone: boolean): void {
    if (isAlone) {
      for (const pairs of [this.changes, this.news, this.answers]) pairs.clear();
      this.round = undefined;
      return;
    }
    if (this.isTelling) return;
    this.isTelling = true;
    this.tell(tick).finally(() => {
      this.isTelling = false;
    });
  }

  /** This node ends. */
  async leave(): Promise<void> {
    await this.publisher.publish(NODES_CHANNEL, { kind: 'presence-round', node: this.node, leaves: true });
  }

  /** Never rejects. */
  private async tell(tick: number): Promise<void> {
    await this.tellAll(NODES_CHANNEL, this.news, true);
    await this.tellAll(NODES_CHANNEL, this.changes, false);
    for (const [node, pairs] of this.answers) {
      this.answers.delete(node);
      await this.tellAll(nodeChannel(node), pairs, false);
    }
    await this.goRound(tick);
  }

  private async goRound(tick: number): Promise<void> {
    if (!this.round) {
      if (tick < this.nextRound) return;
      this.round = { asks: this.roundAsks, left: this.here.all() };
      this.roundAsks = false;
      this.nextRound = tick + ticks(ROUND_MS);
    }
    const { round } = this;
    const pairs: Pairs = new Map();
    let count = 0;
    let isOver = false;
    while (count < PAIRS_PER_TICK && !isOver) {
      const next = round.left.next();
      isOver = next.done === true;
      if (next.done) break;
      const [account, peers] = next.value;
      pairs.set(account, new Set(peers.keys()));
      count += peers.size;
    }
    await this.tellAll(NODES_CHANNEL, pairs, round.asks);
    if (!isOver || round !== this.round) return;
    this.round = undefined;
    await this.publisher.publish(NODES_CHANNEL, { kind: 'presence-round', node: this.node, leaves: false });
  }

  private async tellAll(channel: string, pairs: Pairs, asks: boolean): Promise<void> {
    while (pairs.size > 0) {
      const shown = this.take(pairs);
      await this.publisher.publish(channel, { kind: 'presence', node: this.node, asks, shown });
    }
  }

  /** At most a message full, with the states of now. */
  private take(pairs: Pairs): Shown[] {
    const shown: Shown[] = [];
    let room = PAIRS_PER_MESSAGE;
    for (const [account, peers] of pairs) {
      const byState = new Map<Shown['state'], AccountAddress[]>();
      for (const peer of peers) {
        if (room-- === 0) break;
        peers.delete(peer);
        const state = this.here.state(account, peer);
        const same = byState.get(state);
        if (same) same.push(peer);
        else byState.set(state, [peer]);
      }
      for (const [state, list] of byState) shown.push({ account, state, peers: list });
      if (peers.size > 0) break;
      pairs.delete(account);
    }
    return shown;
  }
}

function add(pairs: Pairs, account: AccountAddress, peer: AccountAddress): void {
  const peers = pairs.get(account);
  if (peers) peers.add(peer);
  else pairs.set(account, new Set([peer]));
}
