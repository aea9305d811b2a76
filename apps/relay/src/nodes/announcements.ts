/**
 * What this node tells the others of its own sessions, and what it asks them: lists, one after the
 * other, so that any number of sessions passes a slow bus. What comes while a list is under way goes
 * into the next. What the bus refuses stays here until it is taken; then the mailboxes of those
 * sessions are looked into, since the others may have called elsewhere until then.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { NODES_CHANNEL, type NodeMessage, nodeChannel } from '@sealwire/wire/node-messages';
import type { Session } from '../sockets/session.ts';
import type { Sessions } from '../sockets/sessions.ts';
import type { Places } from './places.ts';
import type { Publisher } from './publisher.ts';
import type { Repeated, Repeats } from './repeats.ts';

const LIST = LIMITS.partsPerFrame.value;
/** Those that are told nobody any more cost calls to a node that has not got the device. */
const MOST_CLOSINGS = 200_000;
const MOST_ASKERS = 1_000;

type Told = Map<DeviceId, number>;

export class Announcements implements Repeated {
  /** Not yet told, with their numbers. A device is in one of the two at the most. */
  private readonly opening: Told = new Map();
  private readonly closing: Told = new Map();
  /** Nodes that have not got their answer, and whether all are to be asked. */
  private readonly askers = new Set<string>();
  private isAsking = false;
  private telling: Promise<boolean> | undefined;
  /** The bus refused something, and what waited has not all been taken yet. */
  private isLate = false;

  constructor(
    private readonly node: string,
    private readonly sessions: Sessions,
    private readonly places: Places,
    private readonly publisher: Publisher,
    private readonly repeats: Repeats,
  ) {}

  opened({ device, number }: Session): void {
    this.places.opened(device, this.node, number);
    this.closing.delete(device);
    this.opening.set(device, number);
    this.begin();
  }

  closed({ device, number }: Session): void {
    this.places.closed(device, number);
    this.opening.delete(device);
    this.closing.set(device, number);
    if (this.closing.size > MOST_CLOSINGS) take(this.closing, 1);
    this.begin();
  }

  /** Asks all nodes who is there. */
  ask(): void {
    this.isAsking = true;
    this.begin();
  }

  /** Tells the node `asker` of all sessions here. */
  answer(asker: string): void {
    if (this.askers.size >= MOST_ASKERS) return;
    this.askers.add(asker);
    this.begin();
  }

  /** Resolves when all is told, or the bus refuses it. */
  async idle(): Promise<void> {
    await this.telling;
  }

  sayAgain(): Promise<boolean> {
    this.telling ??= this.tell();
    return this.telling;
  }

  private begin(): void {
    if (!this.isLate) this.telling ??= this.tell();
  }

  private async tell(): Promise<boolean> {
    // What this turn brings goes into one list.
    await Promise.resolve();
    let taken = true;
    while (taken && this.hasMore()) taken = await this.tellNext();
    this.telling = undefined;
    this.isLate = !taken;
    if (!taken) this.repeats.add(this);
    return taken;
  }

  private hasMore(): boolean {
    return this.isAsking || this.opening.size + this.closing.size + this.askers.size > 0;
  }

  private async tellNext(): Promise<boolean> {
    if (this.isAsking) {
      // Whoever wants to know again meanwhile asks again.
      this.isAsking = false;
      const taken = await this.publisher.publish(NODES_CHANNEL, { kind: 'who-is-there', node: this.node });
      this.isAsking ||= !taken;
      return taken;
    }
    if (this.opening.size > 0) return this.tellAll('sessions-opened', this.opening);
    if (this.closing.size > 0) return this.tellAll('sessions-closed', this.closing);
    return this.tellAsker();
  }

  private async tellAll(kind: 'sessions-opened' | 'sessions-closed', waiting: Told): Promise<boolean> {
    const list = take(waiting, LIST);
    const taken = await this.publish(NODES_CHANNEL, kind, list);
    for (const [device, number] of list) {
      if (taken) {
        if (this.isLate) this.sessions.receiver(device)?.pollSoon();
      } else if (!this.opening.has(device) && !this.closing.has(device)) {
        waiting.set(device, number);
      }
    }
    return taken;
  }

  private async tellAsker(): Promise<boolean> {
    const [asker = this.node] = this.askers;
    // One that asks again meanwhile knows nothing again.
    this.askers.delete(asker);
    let list: Told = new Map();
    let taken = true;
    // What opens or closes while a list is under way is in the next one or is not: it is told to all.
    for (const { device, number } of this.sessions.receivers()) {
      list.set(device, number);
      if (list.size < LIST) continue;
      taken = await this.publish(nodeChannel(asker), 'sessions-opened', list);
      list = new Map();
      if (!taken) break;
    }
    if (taken && list.size > 0) taken = await this.publish(nodeChannel(asker), 'sessions-opened', list);
    if (!taken) this.askers.add(asker);
    return taken;
  }

  private publish(channel: string, kind: 'sessions-opened' | 'sessions-closed', list: Iterable<[DeviceId, number]>) {
    const sessions = Array.from(list, ([device, session]) => ({ device, session }));
    const message: NodeMessage = { kind, node: this.node, sessions };
    return this.publisher.publish(channel, message);
  }
}

function take(waiting: Told, most: number): [DeviceId, number][] {
  const taken: [DeviceId, number][] = [];
  for (const entry of waiting) {
    if (taken.length === most) break;
    taken.push(entry);
    waiting.delete(entry[0]);
  }
  return taken;
}
