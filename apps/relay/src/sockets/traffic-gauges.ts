/** Counters of the hot path as plain numbers, handed to the metrics once a second: a labelled counter costs more than a small frame. */
import type { Metrics } from '@sealwire/service/metrics';
import type { ClientFrame } from '@sealwire/wire/frames';
import type { DeliveryCounts } from '../delivery/outbox.ts';
import { ticks, type WheelEntry } from '../time/timer-wheel.ts';
import type { Session } from './session.ts';

export type FrameType = ClientFrame['kind'] | 'unknown' | 'bad';

const EVERY_TICKS = ticks(1_000);
const NO_FRAMES = {
  hello: 0,
  send: 0,
  ack: 0,
  ephemeral: 0,
  ping: 0,
  renew: 0,
  show: 0,
  appear: 0,
  unknown: 0,
  bad: 0,
};

export class TrafficGauges implements WheelEntry, DeliveryCounts {
  slot = -1;
  private frames: Record<FrameType, number> = { ...NO_FRAMES };
  private deliveries = 0;

  constructor(
    private readonly connections: ReadonlySet<Pick<Session, 'writer'>>,
    /** Messages that wait for their durable write. */
    private readonly unwritten: () => number,
    private readonly metrics: Pick<
      Metrics,
      | 'relayFramesReceived'
      | 'relayBufferedBytes'
      | 'relayConnections'
      | 'relayDeliveries'
      | 'relayUnwritten'
      | 'mailboxDepth'
    >,
  ) {}

  frame(type: FrameType): void {
    this.frames[type]++;
  }

  delivered(): void {
    this.deliveries++;
  }

  waited(messages: number): void {
    this.metrics.mailboxDepth.observe(messages);
  }

  due(tick: number): number {
    for (const [type, count] of Object.entries(this.frames))
      if (count > 0) this.metrics.relayFramesReceived.inc({ type }, count);
    this.frames = { ...NO_FRAMES };
    this.metrics.relayDeliveries.inc(this.deliveries);
    this.deliveries = 0;
    this.metrics.relayUnwritten.set(this.unwritten());
    let bytes = 0;
    for (const { writer } of this.connections) bytes += writer.waitingBytes;
    this.metrics.relayBufferedBytes.set(bytes);
    this.metrics.relayConnections.set(this.connections.size);
    return tick + EVERY_TICKS;
  }
}
