/**
 * The bus of many nodes, on Redis or Valkey: one server, one behind Sentinel, or a cluster. Plain pub/sub on the first two; on a
 * cluster sharded pub/sub, where a message goes to the nodes of its channel's shard alone.
 *
 * It keeps nothing, so a server that comes back empty is as good as before. What was published while a connection was broken is
 * lost: each listener is told so, once its subscription is confirmed anew.
 */
import slotOf from 'cluster-key-slot';
import { Cluster, type Redis } from 'ioredis';
import { type Bus, BusError, type BusHandler, type Subscription } from './port.ts';
import {
  busErrorOf,
  COMMAND_MS,
  connectionOf,
  firstConnection,
  REPLICA,
  refusalOf,
  waitMs,
  within,
  withSentinels,
} from './redis-connection.ts';
import { parseRedisUrl, type RedisPlace } from './redis-url.ts';

export interface RedisBusOptions {
  readonly url: string;
  /** Hears what a handler threw. */
  readonly onHandlerError?: (error: unknown) => void;
  /**
   * Hears that the connection of the listeners broke, and that all of them listen again. `reason`, of a few fixed texts: why it does
   * not come back; told once.
   */
  readonly onConnection?: (state: 'lost' | 'restored', reason?: string) => void;
  /**
   * So often, ms, the listeners' connection is asked for an answer, and broken when none comes: over a long way a link may carry nothing
   * any more without either end's being told. Not given: nobody asks.
   */
  readonly heartbeatMs?: number;
}

/** Begins as all channels of the product do: rights are given by that. */
const CHECK_CHANNEL = 'sealwire.check';

interface Listener {
  readonly handler: BusHandler;
  readonly onInterruption: () => void;
}

interface Channel {
  readonly name: string;
  readonly listeners: Set<Listener>;
  /** Subscribed, or about to be; changes follow one another. */
  turn: Promise<unknown>;
}

/** Connects. Rejects with a `BusError` of one line when nobody answers as the URL says. */
export async function openRedisBus(options: RedisBusOptions): Promise<Bus> {
  const place = await withSentinels(parseRedisUrl(options.url));
  const bus = new RedisBus(place, options);
  try {
    await bus.connect();
  } catch (error) {
    await bus.close();
    throw error;
  }
  return bus;
}

class RedisBus implements Bus {
  readonly reach = 'nodes';
  private readonly publisher: Redis | Cluster;
  private readonly subscriber: Redis | Cluster;
  private readonly channels = new Map<string, Channel>();
  private readonly isSharded: boolean;
  /** Counts the confirmations of all subscriptions: of two that overlap only the last tells the listeners. */
  private renewals = 0;
  /** Who is to be told. */
  private readonly interrupted = new Set<Listener>();
  private isLost = false;
  private toldReason: string | undefined;
  private heartbeat: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly place: RedisPlace,
    private readonly options: RedisBusOptions,
  ) {
    this.isSharded = place.kind === 'cluster';
    // What is published while nobody answers is refused at once: the mailbox is the truth.
    this.publisher = connectionOf(place, false);
    this.subscriber = connectionOf(place, true, options.heartbeatMs === undefined ? undefined : COMMAND_MS);
    this.publisher.on('error', () => {});
    this.subscriber.on('error', (error: unknown) => this.explain(error));
    this.subscriber.on(this.isSharded ? 'smessageBuffer' : 'messageBuffer', (channel: Buffer, message: Buffer) =>
      this.hear(channel.toString(), message),
    );
  }

  async connect(): Promise<void> {
    await Promise.all([this.publisher, this.subscriber].map((client) => firstConnection(client, this.place)));
    try {
      await this.checkKind();
      await this.checkRights();
    } catch (error) {
      throw busErrorOf(error);
    }
    if (this.subscriber instanceof Cluster) {
      const cluster = this.subscriber;
      cluster.on('-node', (_: Redis, node: string) => this.lost((name) => cluster.slots[slotOf(name)]?.[0] === node));
      cluster.on('close', () => this.lost(() => true));
      cluster.on('subscribersReady', () => void this.renew());
    } else {
      this.subscriber.on('close', () => this.lost(() => true));
      this.subscriber.on('ready', () => void this.renew());
    }
    const { heartbeatMs } = this.options;
    if (heartbeatMs !== undefined) this.heartbeat = setInterval(() => this.beat().catch(() => {}), heartbeatMs).unref();
  }

  async publish(channel: string, message: Uint8Array): Promise<void> {
    this.checkOpen();
    // Copied before this returns; the client writes it later.
    const copy = Buffer.from(message);
    try {
      if (this.isSharded) await this.publisher.spublish(channel, copy);
      else await this.publisher.publish(channel, copy);
    } catch (error) {
      throw busErrorOf(error);
    }
  }

  async subscribe(name: string, handler: BusHandler, onInterruption = () => {}): Promise<Subscription> {
    this.checkOpen();
    const listener: Listener = { handler, onInterruption };
    const channel = this.channels.get(name) ?? { name, listeners: new Set(), turn: Promise.resolve() };
    this.channels.set(name, channel);
    await this.inTurn(channel, async () => {
      if (channel.listeners.size === 0) await this.listenTo(name);
      channel.listeners.add(listener);
    });
    return {
      unsubscribe: async () => {
        this.interrupted.delete(listener);
        if (!channel.listeners.delete(listener) || channel.listeners.size > 0) return;
        await this.inTurn(channel, async () => {
          if (channel.listeners.size > 0 || this.closed) return;
          if (this.isSharded) await this.subscriber.sunsubscribe(name);
          else await this.subscriber.unsubscribe(name);
        }).catch(() => {});
      },
    };
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.heartbeat);
    this.channels.clear();
    for (const client of [this.publisher, this.subscriber]) client.disconnect();
  }

  private async listenTo(name: string): Promise<void> {
    const { subscriber } = this;
    // A command that waits for a connection of a cluster that is gone is never answered.
    await within(COMMAND_MS, this.isSharded ? subscriber.ssubscribe(name) : subscriber.subscribe(name));
  }

  private inTurn(channel: Channel, change: () => Promise<void>): Promise<void> {
    const done = channel.turn.then(change);
    channel.turn = done.catch(() => {});
    return done;
  }

  private hear(name: string, message: Buffer): void {
    for (const { handler } of [...(this.channels.get(name)?.listeners ?? [])])
      this.call(() => handler(new Uint8Array(message)));
  }

  /** The connection of these channels broke. */
  private lost(isConcerned: (channel: string) => boolean): void {
    if (this.closed) return;
    for (const { name, listeners } of this.channels.values())
      if (isConcerned(name)) for (const listener of listeners) this.interrupted.add(listener);
    if (this.isLost) return;
    this.isLost = true;
    this.options.onConnection?.('lost');
  }

  /** Why the connection does not come back, if its operator can do something about it. */
  private explain(error: unknown): void {
    const reason = refusalOf(error);
    if (!this.isLost || reason === undefined || reason === this.toldReason) return;
    this.toldReason = reason;
    this.options.onConnection?.('lost', reason);
  }

  /** After a connection came back: subscribes to all anew, and tells those who listened when it broke. */
  private async renew(): Promise<void> {
    const renewal = ++this.renewals;
    for (let attempt = 1; !(await this.listenToAll()); attempt++) {
      await new Promise((resolve) => setTimeout(resolve, waitMs(attempt)));
      // A newer connection tells.
      if (renewal !== this.renewals || this.closed) return;
    }
    if (renewal !== this.renewals || this.closed) return;
    this.isLost = false;
    this.toldReason = undefined;
    this.options.onConnection?.('restored');
    const interrupted = [...this.interrupted];
    this.interrupted.clear();
    for (const listener of interrupted) this.call(listener.onInterruption);
  }

  /** Listening again changes nothing, and reaches each shard that matters. Whether it is answered the connection itself looks after. */
  private async beat(): Promise<void> {
    for (const { name, listeners } of this.channels.values()) if (listeners.size > 0) await this.listenTo(name);
  }

  private async listenToAll(): Promise<boolean> {
    try {
      for (const name of this.channels.keys()) await this.listenTo(name);
      return true;
    } catch (error) {
      this.explain(error);
      return false;
    }
  }

  private call(handler: () => void): void {
    try {
      handler();
    } catch (error) {
      this.options.onHandlerError?.(error);
    }
  }

  /**
   * A server of a cluster forwards no message of plain pub/sub in time, one that is alone knows no shards, and what is published at a
   * replica is heard at that replica alone.
   */
  private async checkKind(): Promise<void> {
    const [node] = this.publisher instanceof Cluster ? this.publisher.nodes('master') : [this.publisher];
    const info = (await node?.info()) ?? '';
    const isCluster = info.includes('cluster_enabled:1');
    if (isCluster && !this.isSharded)
      throw new BusError('the bus URL names a server that is part of a cluster; write redis+cluster://HOST:PORT,…');
    if (!isCluster && this.isSharded)
      throw new BusError('the bus URL says redis+cluster, but the server is not part of one; write redis://HOST:PORT');
    if (info.includes('role:slave')) throw new BusError(`the bus refuses: ${REPLICA}`);
  }

  /** Both halves once: who may not speak or listen is told now, and not by messages that wait for polls. */
  private async checkRights(): Promise<void> {
    await this.publish(CHECK_CHANNEL, new Uint8Array(0));
    await this.listenTo(CHECK_CHANNEL);
    if (this.isSharded) await this.subscriber.sunsubscribe(CHECK_CHANNEL);
    else await this.subscriber.unsubscribe(CHECK_CHANNEL);
  }

  private checkOpen(): void {
    if (this.closed) throw new BusError('the bus is closed');
  }
}
