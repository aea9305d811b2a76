/**
 * From an appended message to its recipients: on this node into their outbox; elsewhere one wake-up
 * call a turn to the node that has them, or to all nodes when it is not known where they are (house
 * section 5, hop 3; performance, trick 6). Who is nowhere wakes nobody. A call that the bus refused
 * is made again once it takes some.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { NODES_CHANNEL, type NodeMessage, nodeChannel } from '@sealwire/wire/node-messages';
import type { Sessions } from '../sockets/sessions.ts';
import type { Places } from './places.ts';
import type { Publisher } from './publisher.ts';
import type { Repeated, Repeats } from './repeats.ts';

type Calls = Map<string, Set<DeviceId>>;

const LIST = LIMITS.partsPerFrame.value;
/** The others wait for their poll. */
const MOST_UNCALLED = 200_000;

export class Hub implements Repeated {
  private wakes: Calls = new Map();
  /** The bus refused the call. */
  private readonly uncalled = new Set<DeviceId>();

  constructor(
    private readonly sessions: Sessions,
    private readonly places: Places,
    private readonly publisher: Publisher,
    private readonly repeats: Repeats,
  ) {}

  /** A message as it was appended: `pieces` are what the mailbox keeps, `length` bytes together. */
  deliver(device: DeviceId, seq: number, pieces: readonly Uint8Array[], length: number): void {
    const session = this.sessions.receiver(device);
    if (session) session.outbox?.push(seq, pieces, length);
    else this.wakeElsewhere(device, this.wakes);
  }

  /** The mailbox of `device` may have news that nobody was told of. */
  wake(device: DeviceId): void {
    const session = this.sessions.receiver(device);
    if (session) session.outbox?.wake();
    else this.wakeElsewhere(device, this.wakes);
  }

  /** Hands an encoded frame to a device that is here or elsewhere now, or to nobody (case A22). */
  ephemeral(device: DeviceId, frame: Uint8Array): void {
    const session = this.sessions.receiver(device);
    if (session) {
      session.writer.frame(frame);
      return;
    }
    const channel = this.channelOf(device);
    if (channel) void this.publish(channel, { kind: 'ephemeral', device, frame }, [device]);
  }

  /** Sends the wake-up calls of this turn. */
  flush(): void {
    if (this.wakes.size === 0) return;
    const { wakes } = this;
    this.wakes = new Map();
    for (const [channel, all] of wakes) {
      const waiting = [...all];
      while (waiting.length > 0) {
        const devices = waiting.splice(0, LIST);
        void this.publish(channel, { kind: 'wake', devices }, devices);
      }
    }
  }

  async sayAgain(): Promise<boolean> {
    while (this.uncalled.size > 0) {
      const calls: Calls = new Map();
      for (const device of firstOf(this.uncalled)) {
        this.uncalled.delete(device);
        // Wherever it is by now: it may have come here.
        const session = this.sessions.receiver(device);
        if (session) session.outbox?.wake();
        else this.wakeElsewhere(device, calls);
      }
      let taken = true;
      for (const [channel, devices] of calls) {
        taken &&= await this.publisher.publish(channel, { kind: 'wake', devices: [...devices] });
        if (!taken) this.notCalled(devices);
      }
      if (!taken) return false;
    }
    return true;
  }

  private async publish(channel: string, message: NodeMessage, devices: readonly DeviceId[]): Promise<void> {
    if (await this.publisher.publishOrDrop(channel, message)) return;
    if (message.kind !== 'wake') {
      for (const device of devices) this.places.notAsked(device);
      return;
    }
    this.notCalled(devices);
    this.repeats.add(this);
  }

  private notCalled(devices: Iterable<DeviceId>): void {
    for (const device of devices) {
      this.places.notAsked(device);
      this.places.owe(device);
      if (this.uncalled.size < MOST_UNCALLED) this.uncalled.add(device);
    }
  }

  private wakeElsewhere(device: DeviceId, calls: Calls): void {
    const channel = this.channelOf(device);
    if (!channel) {
      // It may have looked into its mailbox on another node just before this message, and its
      // announcement be on its way.
      this.places.owe(device);
      return;
    }
    const devices = calls.get(channel);
    if (devices) devices.add(device);
    else calls.set(channel, new Set([device]));
  }

  /**
   * Where to call; undefined: the device is nowhere. Of an unknown one all nodes are asked: whoever
   * has it answers.
   */
  private channelOf(device: DeviceId): string | undefined {
    const place = this.places.find(device);
    if (place) return place.node && nodeChannel(place.node);
    this.places.asked(device);
    return NODES_CHANNEL;
  }
}

function firstOf(devices: ReadonlySet<DeviceId>): DeviceId[] {
  const first: DeviceId[] = [];
  for (const device of devices) {
    if (first.length === LIST) break;
    first.push(device);
  }
  return first;
}
