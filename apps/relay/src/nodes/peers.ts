/**
 * What nodes find out about each other by the `here` of each: that two have one name, and that clocks are apart. Neither loses a
 * message (the mailbox is the truth), so both are told, and of two with one name the later one is not ready.
 */
import type { Log } from '@sealwire/service/log';
import type { Metrics } from '@sealwire/service/metrics';
import { LIMITS } from '@sealwire/wire/limits';
import { lastUsed } from '../last-used.ts';
import type { RelaySettings } from '../settings.ts';

/** Of a process, what it says of itself. */
export interface Here {
  readonly node: string;
  /** Random: no two processes have the same. */
  readonly run: Uint8Array;
  /** When it started, ms by its clock. */
  readonly since: number;
  /** Its clock, ms. */
  readonly at: number;
}

/** One of our name that is not heard for so many of its turns has gone. */
const TURNS = 3;
const MOST_NODES = 1_000;

export class Peers {
  private readonly since: number;
  /** Of our name; when it was heard last. */
  private twin: { readonly isOlder: boolean; readonly heardAt: number } | undefined;
  /** Nodes whose clocks were apart when they were heard last: each is told once. */
  private readonly apart = lastUsed<string, true>(MOST_NODES);
  /** By how much, and when they were heard. */
  private readonly offsets = lastUsed<string, { readonly ms: number; readonly heardAt: number }>(MOST_NODES);

  constructor(
    private readonly node: string,
    private readonly run: Uint8Array,
    private readonly settings: Pick<RelaySettings, 'probeEveryMs'>,
    private readonly now: () => number,
    private readonly metrics: Pick<Metrics, 'relayNodeClock' | 'relayNodeFaults'>,
    private readonly log: Log,
  ) {
    this.since = now();
  }

  here(): Here {
    return { node: this.node, run: this.run, since: this.since, at: this.now() };
  }

  /** Answers whether it is one of our name that was not known. */
  hear({ node, run, since, at }: Here): boolean {
    const difference = Buffer.compare(run, this.run);
    if (node === this.node && difference === 0) return false;
    this.compareClocks(node, at);
    if (node !== this.node) return false;
    const isNew = this.currentTwin() === undefined;
    const isOlder = since < this.since || (since === this.since && difference < 0);
    this.twin = { isOlder, heardAt: this.now() };
    if (!isNew) return false;
    this.metrics.relayNodeFaults.inc({ fault: 'same-name' });
    this.log.error('node-name-taken', {
      node,
      setting: 'NODE_ID',
      reason: `another process has this name; give each its own. ${isOlder ? 'This one is not ready until then' : 'That one is not ready until then'}`,
    });
    return true;
  }

  /** Whether there is an older process of our name. */
  isLaterTwin(): boolean {
    return this.currentTwin()?.isOlder ?? false;
  }

  private currentTwin(): { readonly isOlder: boolean } | undefined {
    const { twin } = this;
    return twin && this.now() - twin.heardAt <= TURNS * this.settings.probeEveryMs ? twin : undefined;
  }

  /** Of those that are there: who is not heard for so many turns has gone. */
  private tellOffset(): void {
    const oldest = this.now() - TURNS * this.settings.probeEveryMs;
    let most = 0;
    for (const { ms, heardAt } of this.offsets.values()) if (heardAt >= oldest) most = Math.max(most, ms);
    this.metrics.relayNodeClock.set(most / 1_000);
  }

  private compareClocks(node: string, at: number): void {
    const heardAt = this.now();
    const apartMs = Math.abs(heardAt - at);
    this.offsets.set(node, { ms: apartMs, heardAt });
    this.tellOffset();
    if (apartMs <= LIMITS.clockSkewMs.value) {
      this.apart.delete(node);
      return;
    }
    if (this.apart.has(node)) return;
    this.apart.set(node, true);
    this.metrics.relayNodeFaults.inc({ fault: 'clock-apart' });
    this.log.warn('node-clock-apart', {
      node,
      durationMs: apartMs,
      reason: 'the clocks of that node and of this one differ; keep both by a time server',
    });
  }
}
