/**
 * From an appended message to its recipients: on this node into their outbox; elsewhere one wake-up call a turn to the node that has
 * them, or to all nodes when nobody is known to have them (house section 5, hop 3; performance, trick 6). What the bus does not take
 * is counted and forgotten: the mailbox has the message.
 */
import type { Bus } from '@sealwire/bus/port';
import type { Metrics } from '@sealwire/service/metrics';
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { encodeNodeMessage, NODES_CHANNEL, nodeChannel } from '@sealwire/wire/node-messages';
import { LRUCache } from 'lru-cache';
import type { Session } from '../sockets/session.ts';
import type { Sessions } from '../sockets/sessions.ts';

const KNOWN_PLACES = 200_000;
// A slow bus must not pile up promises (case B08).
const MAX_PUBLISHING = 1_000;

export class Hub {
  /** On which other node a device was last seen. */
  private readonly places = new LRUCache<DeviceId, string>({ max: KNOWN_PLACES });
  private wakes = new Map<string, Set<DeviceId>>();
  private publishing = 0;

  constructor(
    private readonly node: string,
    private readonly sessions: Sessions,
    private readonly bus: Pick<Bus, 'publish'>,
    private readonly metrics: Pick<Metrics, 'busPublish' | 'unhandledErrors'>,
    private readonly now: () => number,
  ) {}

  /** A message as it was appended: `pieces` are what the mailbox keeps, `length` bytes together. */
  deliver(device: DeviceId, seq: number, pieces: readonly Uint8Array[], length: number): void {
    const session = this.sessions.receiver(device);
    if (session) session.outbox?.push(seq, pieces, length);
    else this.wakeElsewhere(device);
  }

  /** The mailbox of `device` may have news that nobody was told of. */
  wake(device: DeviceId): void {
    const session = this.sessions.receiver(device);
    if (session) session.outbox?.wake();
    else this.wakeElsewhere(device);
  }

  /** Hands an encoded frame to a device that is here or elsewhere now, or to nobody (case A22). */
  ephemeral(device: DeviceId, frame: Uint8Array): void {
    const session = this.sessions.receiver(device);
    if (session) session.writer.frame(frame);
    else this.publish(this.channelOf(device), encodeNodeMessage({ kind: 'ephemeral', device, frame }));
  }

  /** Sends the wake-up calls of this turn. */
  flush(): void {
    if (this.wakes.size === 0) return;
    const { wakes } = this;
    this.wakes = new Map();
    for (const [channel, devices] of wakes) {
      const all = [...devices];
      for (let i = 0; i < all.length; i += LIMITS.partsPerFrame.value)
        this.publish(
          channel,
          encodeNodeMessage({ kind: 'wake', devices: all.slice(i, i + LIMITS.partsPerFrame.value) }),
        );
    }
  }

  /** Tells all nodes, or the one node that asked, that a session is here. */
  announce({ device, number }: Session, channel: string = NODES_CHANNEL): void {
    this.places.delete(device);
    this.publish(
      channel,
      encodeNodeMessage({ kind: 'sessions-opened', node: this.node, sessions: [{ device, session: number }] }),
    );
  }

  announceClosed({ device, number }: Session): void {
    this.publish(
      NODES_CHANNEL,
      encodeNodeMessage({ kind: 'sessions-closed', node: this.node, sessions: [{ device, session: number }] }),
    );
  }

  seenAt(device: DeviceId, node: string): void {
    this.places.set(device, node);
  }

  goneFrom(device: DeviceId, node: string): void {
    if (this.places.peek(device) === node) this.places.delete(device);
  }

  publish(channel: string, message: Uint8Array): void {
    if (this.publishing >= MAX_PUBLISHING) {
      this.metrics.unhandledErrors.inc({ where: 'bus-publish' });
      return;
    }
    this.publishing++;
    const start = this.now();
    this.bus.publish(channel, message).then(
      () => {
        this.publishing--;
        this.metrics.busPublish.observe(Math.max(0, this.now() - start) / 1_000);
      },
      () => {
        this.publishing--;
        this.metrics.unhandledErrors.inc({ where: 'bus-publish' });
      },
    );
  }

  private wakeElsewhere(device: DeviceId): void {
    const channel = this.channelOf(device);
    const devices = this.wakes.get(channel);
    if (devices) devices.add(device);
    else this.wakes.set(channel, new Set([device]));
  }

  private channelOf(device: DeviceId): string {
    const node = this.places.get(device);
    return node === undefined ? NODES_CHANNEL : nodeChannel(node);
  }
}
