/**
 * What the API and the directory tell all nodes after a commit. Wake-up calls: a lost one makes a node slower to notice, never wrong.
 * What the bus refuses is told again until it takes it, so that a removed device is out soon after a link to the bus is back.
 */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { encodeNodeMessage, NODES_CHANNEL, type NodeMessage } from '@sealwire/wire/node-messages';
import type { Log } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';

/** The half of the bus that this needs. */
export interface Publisher {
  publish(channel: string, message: Uint8Array): Promise<void>;
}

export interface Announcer {
  /** Each of these devices is gone: close its sockets. */
  devicesRemoved(devices: readonly DeviceId[]): Promise<void>;
  devicesChanged(address: AccountAddress): Promise<void>;
  /** The same, by a manifest of `version`, of which `devices` are told. */
  manifestPublished(address: AccountAddress, version: number, devices: readonly DeviceId[]): Promise<void>;
  /** Who may write to this account may be other ones now. `version`: of its contact list, of which `devices` are told; 0: it is as it was. */
  contactsChanged(address: AccountAddress, version: number, devices: readonly DeviceId[]): Promise<void>;
  /** None of its devices may be here any more. */
  accountDisabled(address: AccountAddress): Promise<void>;
  /** Other notices are to be told, or fewer. */
  noticesChanged(): Promise<void>;
  /** Forgets what waits: nodes find it by their polls. */
  stop(): void;
}

/** Calls `run` once, `delayMs` from now; the answer takes it back. */
export type After = (delayMs: number, run: () => void) => () => void;

export interface AnnouncerDeps {
  readonly bus: Publisher;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'busFaults'>;
  /** Node's timer by default. */
  readonly after?: After;
}

export const AGAIN_MS = 500;
/** Beyond it the oldest are forgotten. */
export const MOST_WAITING = 10_000;

type Told = Extract<
  NodeMessage,
  { kind: 'device-removed' | 'devices-changed' | 'contacts-changed' | 'account-disabled' | 'notices-changed' }
>;

/** Its calls never reject: the change is committed, and the caller's answer must say so whatever the bus does. */
export function createAnnouncer(deps: AnnouncerDeps): Announcer {
  const waiting = new Waiting(deps);
  const announce = (message: Told) => waiting.tell(message);
  return {
    async devicesRemoved(devices) {
      await Promise.all(devices.map((device) => announce({ kind: 'device-removed', device })));
    },
    devicesChanged: (address) => announce({ kind: 'devices-changed', address, version: 0, devices: [] }),
    manifestPublished: (address, version, devices) => announce({ kind: 'devices-changed', address, version, devices }),
    contactsChanged: (address, version, devices) => announce({ kind: 'contacts-changed', address, version, devices }),
    accountDisabled: (address) => announce({ kind: 'account-disabled', address }),
    noticesChanged: () => announce({ kind: 'notices-changed' }),
    stop: () => waiting.stop(),
  };
}

class Waiting {
  /** What the bus has not taken, oldest first, by what it is about. */
  private readonly messages = new Map<string, Told>();
  private isLate = false;
  private stopped = false;
  private cancel = () => {};

  constructor(private readonly deps: AnnouncerDeps) {}

  /** Resolves when the bus took it or refused it; at once when it waits behind others. */
  async tell(message: Told): Promise<void> {
    if (!this.isLate && (await this.isTaken(message))) return;
    this.keep(message);
    if (this.isLate || this.stopped) return;
    this.isLate = true;
    this.deps.log.warn('announcements-refused', {
      setting: 'BUS_URL',
      reason: 'repeated until the bus takes them; nodes notice by their polls at the latest',
    });
    this.later();
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
    this.messages.clear();
  }

  private keep(message: Told): void {
    const key = keyOf(message);
    const before = this.messages.get(key);
    this.messages.delete(key);
    this.messages.set(key, before ? newerOf(before, message) : message);
    if (this.messages.size <= MOST_WAITING) return;
    const [oldest = ''] = this.messages.keys();
    this.messages.delete(oldest);
    this.deps.metrics.busFaults.inc({ fault: 'dropped' });
  }

  private later(): void {
    this.cancel = (this.deps.after ?? nodeAfter)(AGAIN_MS, () => void this.again());
  }

  private async again(): Promise<void> {
    let count = 0;
    for (const [key, message] of this.messages) {
      if (!(await this.isTaken(message))) break;
      count++;
      if (this.messages.get(key) === message) this.messages.delete(key);
    }
    if (this.stopped) return;
    if (this.messages.size > 0) {
      this.later();
      return;
    }
    this.isLate = false;
    this.deps.log.info('announcements-taken', { count });
  }

  private async isTaken(message: Told): Promise<boolean> {
    try {
      await this.deps.bus.publish(NODES_CHANNEL, encodeNodeMessage(message));
      return true;
    } catch {
      this.deps.metrics.busFaults.inc({ fault: 'refused' });
      return false;
    }
  }
}

function keyOf(message: Told): string {
  if (message.kind === 'device-removed') return message.device;
  return 'address' in message ? `${message.kind} ${message.address}` : message.kind;
}

/** Of one account: who is told of a manifest or a list must be told of the newest. Never `before` itself, which may be under way. */
function newerOf(before: Told, after: Told): Told {
  if (!('version' in before && 'version' in after)) return after;
  return after.version >= before.version ? after : { ...before };
}

function nodeAfter(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}
