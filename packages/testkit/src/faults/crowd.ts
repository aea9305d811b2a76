/** Many light devices that write to each other at a steady rate, and what to wait for among them. */
import type { DeviceId } from '@sealwire/wire/ids';
import { judge, type Verdict } from './history.ts';
import { LightDevice } from './light-device.ts';
import type { Inhabitant } from './population.ts';

const TICK_MS = 50;
/** Of devices that are not online when they should be. */
const MAX_STORIES = 5;

export interface CrowdOptions {
  readonly origin: string;
  readonly inhabitants: readonly Inhabitant[];
  readonly devicesEach: number;
  /** How many of the devices write; each has an equal share of all devices to write to. */
  readonly writers: number;
  readonly random: () => number;
}

export class Crowd {
  readonly devices: readonly LightDevice[];
  readonly #options: CrowdOptions;
  readonly #writers: readonly LightDevice[];
  readonly #waiting = new Set<() => void>();
  #traffic: NodeJS.Timeout | undefined;
  #lookScheduled = false;

  constructor(options: CrowdOptions) {
    this.#options = options;
    const url = `${options.origin.replace('http', 'ws')}/relay`;
    const { random } = options;
    this.devices = options.inhabitants.map(
      (inhabitant) => new LightDevice(inhabitant, { url, random, changed: () => this.#look() }),
    );
    // Spread, so that no two writers are devices of one account as long as there are accounts enough.
    const step = this.devices.length / options.writers;
    this.#writers = Array.from({ length: options.writers }, (_, i) => this.devices[Math.floor(i * step)]!);
  }

  get accepted(): number {
    return sum(this.devices, (device) => device.acceptedCount);
  }

  /** Sent, outcome unknown. */
  get inFlight(): number {
    return sum(this.devices, (device) => device.waitingCount);
  }

  get online(): number {
    return this.devices.filter(({ online }) => online).length;
  }

  /** Messages a second, until `stopWriting`; also while nobody is connected. */
  startWriting(perSecond: number): void {
    let owed = 0;
    this.#traffic = setInterval(() => {
      for (owed += (perSecond * TICK_MS) / 1_000; owed >= 1; owed -= 1) this.write();
    }, TICK_MS);
  }

  stopWriting(): void {
    clearInterval(this.#traffic);
  }

  /** One message of some writer: mostly to a few devices of its share, and some to all devices of an account. */
  write(): void {
    const { random } = this.#options;
    const at = Math.floor(random() * this.#writers.length);
    const share = this.devices.length / this.#writers.length;
    // Squared: a writer has favourites, so that pairs exchange many messages and their order means something.
    const pick = () =>
      this.devices[(at * share + share / 2 + Math.floor(random() ** 2 * share)) % this.devices.length]!;
    const writer = this.#writers[at]!;
    if (random() < 0.1) {
      // Of the writer's own account too, as the relay demands of who says that it names all.
      const all = [...new Set([pick(), writer].flatMap((device) => this.#accountOf(device)))].filter(
        (device) => device !== writer,
      );
      writer.send(
        all.map(({ device }) => device),
        true,
      );
      return;
    }
    const chosen = new Set<DeviceId>();
    for (let count = 1 + Math.floor(random() * 3); count > 0; count--) {
      const device = pick();
      if (device !== writer) chosen.add(device.device);
    }
    if (chosen.size > 0) writer.send([...chosen]);
  }

  #accountOf(device: LightDevice): LightDevice[] {
    const { devicesEach } = this.#options;
    const at = this.devices.indexOf(device);
    const start = at - (at % devicesEach);
    return this.devices.slice(start, start + devicesEach);
  }

  /** So many messages at once. */
  burst(messages: number): void {
    for (let count = 0; count < messages; count++) this.write();
  }

  /** Resolves in the very turn in which it comes true. Rejects after `withinMs`, with what there is. */
  until(what: string, isSo: () => boolean, withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!isSo()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`${what}: not within ${withinMs} ms: ${this.#state()}`));
      }, withinMs);
      this.#waiting.add(look);
      look();
    });
  }

  allOnline(withinMs: number): Promise<void> {
    return this.until('all online', () => this.online === this.devices.length, withinMs);
  }

  /** Everything that was written has been accepted, and has arrived where it belongs. */
  async settled(withinMs: number): Promise<void> {
    await this.until('all accepted', () => this.inFlight === 0, withinMs);
    const expected = sum(this.devices, ({ sent }) => sum(sent, ({ recipients }) => recipients.length));
    // Counted, for the oracle is too slow to be asked at each change. What has not arrived by then is the oracle's to name.
    const arrived = () => sum(this.devices, ({ distinct }) => distinct) >= expected;
    await this.until('all arrived', arrived, withinMs).catch(() => {});
  }

  /** Everybody has acknowledged what came, and the relay has read it. */
  async acknowledged(): Promise<void> {
    await Promise.all(this.devices.map((device) => device.settled()));
  }

  judge(): Verdict {
    const senders = new Map(this.devices.map((device) => [device.device, device]));
    return judge(
      this.devices.flatMap(({ sent }) => sent),
      ({ sender, number }) => senders.get(sender)!.isAccepted(number),
      new Map(this.devices.map(({ device, deliveries }) => [device, deliveries])),
    );
  }

  end(): void {
    this.stopWriting();
    for (const device of this.devices) device.end();
  }

  // A thousand sockets change within one turn: the conditions are looked at once in it, after all of them.
  #look(): void {
    if (this.#lookScheduled) return;
    this.#lookScheduled = true;
    setImmediate(() => {
      this.#lookScheduled = false;
      for (const look of [...this.#waiting]) look();
    });
  }

  #state(): string {
    const offline = this.devices.filter(({ online }) => !online).map((device) => device.story);
    const counts = `${this.online} online, ${this.accepted} accepted, ${this.inFlight} in flight`;
    return [counts, ...offline.slice(0, MAX_STORIES)].join('\n');
  }
}

function sum<T>(items: Iterable<T>, of: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += of(item);
  return total;
}
