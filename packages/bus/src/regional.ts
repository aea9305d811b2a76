/**
 * One bus over several regions, each with a Redis of its own (docs/adr/0067): what is published goes to the own region's alone, whose
 * answer is the promise; who listens does so in every region. So nothing is passed on and nothing can go round, a message crosses between
 * regions only to where somebody listens for it, and what a broken link loses is known where it matters: at the listener, who is told once
 * it hears that region again. A region that does not answer keeps nobody waiting: it is tried again until it does.
 */
import type { Bus, BusHandler, Subscription } from './port.ts';

export type RegionState = 'lost' | 'restored';

export interface OtherRegion {
  readonly name: string;
  /** Connects; `onConnection` hears what becomes of that connection. Rejects, within seconds, when nobody answers. */
  open(onConnection: (state: RegionState, reason?: string) => void): Promise<Bus>;
}

export interface RegionalBusOptions {
  /** Closed with the regional bus. */
  readonly own: Bus;
  readonly others: readonly OtherRegion[];
  /** Hears that a region is not heard, again with a reason when there is another one, and that it is heard again. */
  readonly onRegion?: (name: string, state: RegionState, reason?: string) => void;
  /** Hears what an `onInterruption` threw. */
  readonly onHandlerError?: (error: unknown) => void;
  /** Calls `run` once, `ms` from now; the answer takes it back. Node's timer by default. */
  readonly after?: (ms: number, run: () => void) => () => void;
}

/** Between two attempts to reach a region, or to listen there. */
export const AGAIN_MS = 1_000;

/** Resolves when each other region was tried once: its listeners may come later, this bus works. */
export async function openRegionalBus(options: RegionalBusOptions): Promise<Bus> {
  const others = options.others.map((terms) => new Region(terms, options));
  await Promise.all(others.map((region) => region.open()));
  return new RegionalBus(options.own, others);
}

/** A subscription of this process. */
interface Listener {
  readonly channel: string;
  readonly handler: BusHandler;
  readonly onInterruption: () => void;
  active: boolean;
}

class RegionalBus implements Bus {
  readonly reach: Bus['reach'];
  private readonly listeners = new Set<Listener>();

  constructor(
    private readonly own: Bus,
    private readonly others: readonly Region[],
  ) {
    this.reach = own.reach;
  }

  publish(channel: string, message: Uint8Array): Promise<void> {
    return this.own.publish(channel, message);
  }

  async subscribe(channel: string, handler: BusHandler, onInterruption = () => {}): Promise<Subscription> {
    const listener: Listener = {
      channel,
      handler: (message) => {
        if (listener.active) handler(message);
      },
      onInterruption: () => {
        if (listener.active) onInterruption();
      },
      active: true,
    };
    const held = await this.own.subscribe(channel, listener.handler, listener.onInterruption);
    this.listeners.add(listener);
    await Promise.all(this.others.map((region) => region.add(listener)));
    return {
      unsubscribe: async () => {
        listener.active = false;
        this.listeners.delete(listener);
        for (const region of this.others) region.remove(listener);
        await held.unsubscribe();
      },
    };
  }

  async close(): Promise<void> {
    for (const listener of this.listeners) listener.active = false;
    this.listeners.clear();
    await Promise.all([this.own.close(), ...this.others.map((region) => region.close())]);
  }
}

/** Another region, as far as it can be heard. */
class Region {
  private bus: Bus | undefined;
  private readonly held = new Map<Listener, Subscription | undefined>();
  private isLost = false;
  private toldReason: string | undefined;
  private closed = false;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly terms: OtherRegion,
    private readonly options: RegionalBusOptions,
  ) {}

  /** One attempt; the next ones follow by themselves. Never rejects. */
  async open(): Promise<void> {
    let bus: Bus;
    try {
      bus = await this.terms.open((state, reason) => this.tell(state, reason));
    } catch (error) {
      this.tell('lost', (error as Error).message);
      this.again(() => void this.open());
      return;
    }
    if (this.closed) {
      await bus.close();
      return;
    }
    this.bus = bus;
    this.tell('restored');
    await Promise.all([...this.held.keys()].map((listener) => this.listen(listener, true)));
  }

  /** Resolves when what is published there is heard; at once while that region is lost, whose time comes later. */
  async add(listener: Listener): Promise<void> {
    this.held.set(listener, undefined);
    if (!this.bus) return;
    const listening = this.listen(listener, this.isLost);
    if (!this.isLost) await listening;
  }

  remove(listener: Listener): void {
    const subscription = this.held.get(listener);
    this.held.delete(listener);
    // A region that is away must not keep anybody from going; the listener hears nothing any more.
    subscription?.unsubscribe().catch(() => {});
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const cancel of this.waiting) cancel();
    this.held.clear();
    await this.bus?.close();
  }

  /** `isLate`: what was published there before is lost for the listener, who is told. Never rejects. */
  private async listen(listener: Listener, isLate: boolean): Promise<void> {
    const { channel, handler, onInterruption } = listener;
    let subscription: Subscription;
    try {
      subscription = await this.bus!.subscribe(channel, handler, onInterruption);
    } catch {
      this.again(() => {
        if (this.held.has(listener)) void this.listen(listener, true);
      });
      return;
    }
    if (!this.held.has(listener)) {
      subscription.unsubscribe().catch(() => {});
      return;
    }
    this.held.set(listener, subscription);
    if (!isLate) return;
    try {
      onInterruption();
    } catch (error) {
      this.options.onHandlerError?.(error);
    }
  }

  private tell(state: RegionState, reason?: string): void {
    const isLost = state === 'lost';
    const isNews = this.isLost !== isLost || (reason !== undefined && reason !== this.toldReason);
    this.isLost = isLost;
    this.toldReason = isLost ? (reason ?? this.toldReason) : undefined;
    if (isNews && !this.closed) this.options.onRegion?.(this.terms.name, state, reason);
  }

  private again(run: () => void): void {
    if (this.closed) return;
    const cancel = (this.options.after ?? nodeAfter)(AGAIN_MS, () => {
      this.waiting.delete(cancel);
      run();
    });
    this.waiting.add(cancel);
  }
}

function nodeAfter(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  timer.unref();
  return () => clearTimeout(timer);
}
