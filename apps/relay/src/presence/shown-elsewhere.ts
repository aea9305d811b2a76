/**
 * What other nodes say of accounts that show themselves to accounts of this one (docs/spec/presence.md section 5). The bus may lose all of it:
 * a node says everything again in each of its rounds, and what it did not repeat in a whole one is over. So is what a silent node has said.
 */
import type { PresenceState } from '@sealwire/wire/frames';
import type { AccountAddress } from '@sealwire/wire/ids';
import { ticks } from '../time/timer-wheel.ts';
import { GRACE_MS } from './shown-here.ts';
import { better, type ShownState } from './states.ts';

/** Of its `here`, which comes every `probeEveryMs`. */
const MISSED_WORDS = 3;
const MOST_NODES = 1_000;

interface Said {
  state: ShownState;
  /** The node's period in which it said so last. */
  period: number;
}

interface OtherNode {
  /** Of the process, as text; undefined before its first `here`. */
  run: string | undefined;
  heardAt: number;
  /** Counts its rounds. */
  period: number;
  /** Tick at which what it said before `endsBelow` is over; 0: never. */
  endsAt: number;
  endsBelow: number;
}

export type Seen = readonly [account: AccountAddress, peer: AccountAddress];

export class ShownElsewhere {
  /** Peer, account, node. */
  private readonly said = new Map<AccountAddress, Map<AccountAddress, Map<string, Said>>>();
  private readonly nodes = new Map<string, OtherNode>();
  private tick = 0;

  /** `probeEveryMs`: between two words of a node. */
  constructor(private readonly probeEveryMs: number) {}

  /** Whether there is anybody to talk to. */
  get isAlone(): boolean {
    return this.nodes.size === 0;
  }

  /** How `account` appears to `peer` by what others say. */
  state(account: AccountAddress, peer: AccountAddress): PresenceState {
    let state: PresenceState = 'offline';
    for (const one of this.said.get(peer)?.get(account)?.values() ?? []) state = better(state, one.state);
    return state;
  }

  /** The node lives. Answers whether it is new here. `run`: of its process, when it says so. */
  heard(node: string, run?: Uint8Array): boolean {
    const name = run && Buffer.from(run).toString('hex');
    const known = this.nodes.get(node);
    if (!known) {
      if (this.nodes.size < MOST_NODES)
        this.nodes.set(node, { run: name, heardAt: this.tick, period: 1, endsAt: 0, endsBelow: 0 });
      return true;
    }
    known.heardAt = this.tick;
    const isOther = name !== undefined && known.run !== undefined && known.run !== name;
    if (isOther) this.endSoon(known);
    known.run = name ?? known.run;
    return isOther;
  }

  /** A node's word on a pair in which somebody here has a part. */
  tell(node: string, account: AccountAddress, peer: AccountAddress, state: PresenceState): void {
    const { period } = this.nodes.get(node) ?? {};
    // One too many.
    if (period === undefined) return;
    if (state === 'offline') {
      this.drop(peer, account, node);
      return;
    }
    const accounts = this.said.get(peer) ?? new Map<AccountAddress, Map<string, Said>>();
    const nodes = accounts.get(account) ?? new Map<string, Said>();
    nodes.set(node, { state, period });
    this.said.set(peer, accounts.set(account, nodes));
  }

  /** `peer` does not show itself to `account` any more: what it sees of it is nobody's business here. */
  forget(account: AccountAddress, peer: AccountAddress): void {
    const accounts = this.said.get(peer);
    accounts?.delete(account);
    if (accounts?.size === 0) this.said.delete(peer);
  }

  /** A round of `node` is complete. Answers what may look different now. */
  round(node: string, leaves: boolean): Seen[] {
    const known = this.nodes.get(node);
    if (!known) return [];
    if (leaves) {
      this.endSoon(known);
      return [];
    }
    // While what an earlier process said has its grace, it is no news that this one does not repeat it.
    const over = known.endsAt > 0 ? [] : this.over(node, known.period);
    known.period++;
    return over;
  }

  /** Answers what may look different at `tick`. */
  due(tick: number): Seen[] {
    this.tick = tick;
    const over: Seen[] = [];
    for (const [node, known] of this.nodes) {
      const isSilent = tick - known.heardAt > ticks(MISSED_WORDS * this.probeEveryMs);
      if (isSilent) {
        over.push(...this.over(node, Number.POSITIVE_INFINITY));
        this.nodes.delete(node);
      } else if (known.endsAt > 0 && tick >= known.endsAt) {
        known.endsAt = 0;
        over.push(...this.over(node, known.endsBelow));
      }
    }
    return over;
  }

  /** Its people have the time to come back elsewhere. */
  private endSoon(known: OtherNode): void {
    known.period++;
    known.endsBelow = known.period;
    known.endsAt = this.tick + ticks(GRACE_MS);
  }

  /** Drops what `node` said last before its period `below`. */
  private over(node: string, below: number): Seen[] {
    const over: Seen[] = [];
    for (const [peer, accounts] of this.said)
      for (const [account, nodes] of accounts) {
        const said = nodes.get(node);
        if (said && said.period < below) over.push([account, peer]);
      }
    for (const [account, peer] of over) this.drop(peer, account, node);
    return over;
  }

  private drop(peer: AccountAddress, account: AccountAddress, node: string): void {
    const nodes = this.said.get(peer)?.get(account);
    nodes?.delete(node);
    if (nodes?.size === 0) this.forget(account, peer);
  }
}
