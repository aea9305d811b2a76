/**
 * What this node tells the others of its own sessions: lists, one after the other, so that any
 * number of sessions passes a slow bus. What comes while a list is under way goes into the next.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { NODES_CHANNEL, nodeChannel } from '@sealwire/wire/node-messages';
import type { Session } from '../sockets/session.ts';
import type { Sessions } from '../sockets/sessions.ts';
import type { Places } from './places.ts';
import type { Publisher } from './publisher.ts';

const LIST = LIMITS.partsPerFrame.value;

export class Announcements {
  /** Not yet told, with their numbers. A device is in one of the two at the most. */
  private readonly opening = new Map<DeviceId, number>();
  private readonly closing = new Map<DeviceId, number>();
  private telling: Promise<void> | undefined;

  constructor(
    private readonly node: string,
    private readonly sessions: Sessions,
    private readonly places: Places,
    private readonly publisher: Publisher,
  ) {}

  opened({ device, number }: Session): void {
    this.places.opened(device, this.node, number);
    this.closing.delete(device);
    this.opening.set(device, number);
    this.telling ??= this.tell();
  }

  closed({ device, number }: Session): void {
    this.places.closed(device, number);
    this.opening.delete(device);
    this.closing.set(device, number);
    this.telling ??= this.tell();
  }

  /** Tells the node `asker` of all sessions here. */
  async answer(asker: string): Promise<void> {
    let list = new Map<DeviceId, number>();
    // What opens or closes while a list is under way is in the next one or is not: it is told to all.
    for (const { device, number } of this.sessions.receivers()) {
      list.set(device, number);
      if (list.size < LIST) continue;
      await this.publish(nodeChannel(asker), 'sessions-opened', list);
      list = new Map();
    }
    if (list.size > 0) await this.publish(nodeChannel(asker), 'sessions-opened', list);
  }

  /** Resolves when all is told. */
  async idle(): Promise<void> {
    await this.telling;
  }

  private async tell(): Promise<void> {
    // What this turn brings goes into one list.
    await Promise.resolve();
    while (this.opening.size + this.closing.size > 0) {
      const kind = this.opening.size > 0 ? 'sessions-opened' : 'sessions-closed';
      await this.publish(NODES_CHANNEL, kind, take(kind === 'sessions-opened' ? this.opening : this.closing));
    }
    this.telling = undefined;
  }

  private publish(channel: string, kind: 'sessions-opened' | 'sessions-closed', list: Iterable<[DeviceId, number]>) {
    const sessions = Array.from(list, ([device, session]) => ({ device, session }));
    return this.publisher.publish(channel, { kind, node: this.node, sessions });
  }
}

function take(waiting: Map<DeviceId, number>): [DeviceId, number][] {
  const taken: [DeviceId, number][] = [];
  for (const entry of waiting) {
    if (taken.length === LIST) break;
    taken.push(entry);
    waiting.delete(entry[0]);
  }
  return taken;
}
