/**
 * Publishing on the bus, measured. What the bus does not take is counted, and told to the caller: it
 * may repeat it, since the mailbox has the message.
 */
import type { Bus } from '@sealwire/bus/port';
import type { Metrics } from '@sealwire/service/metrics';
import { encodeNodeMessage, type NodeMessage } from '@sealwire/wire/node-messages';

// A slow bus must not pile up promises (case B08).
const MAX_UNDER_WAY = 1_000;

export class Publisher {
  private underWay = 0;

  constructor(
    private readonly bus: Pick<Bus, 'publish'>,
    private readonly metrics: Pick<Metrics, 'busPublish' | 'busFaults'>,
    private readonly now: () => number,
  ) {}

  /** For who waits for each before the next. Answers whether the bus took it; never rejects. */
  async publish(channel: string, message: NodeMessage): Promise<boolean> {
    const start = this.now();
    try {
      await this.bus.publish(channel, encodeNodeMessage(message));
    } catch {
      this.metrics.busFaults.inc({ fault: 'refused' });
      return false;
    }
    this.metrics.busPublish.observe(Math.max(0, this.now() - start) / 1_000);
    return true;
  }

  /** For who does not wait: dropped when too much is under way. */
  async publishOrDrop(channel: string, message: NodeMessage): Promise<boolean> {
    if (this.underWay >= MAX_UNDER_WAY) {
      this.metrics.busFaults.inc({ fault: 'dropped' });
      return false;
    }
    this.underWay++;
    const taken = await this.publish(channel, message);
    this.underWay--;
    return taken;
  }
}
