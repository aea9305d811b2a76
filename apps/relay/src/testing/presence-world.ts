/** Nodes that know presence and nothing else, on one bus that loses what a test wants lost, with sockets that keep what they are told. */
import { MemoryHub, openMemoryBus } from '@sealwire/bus/memory';
import type { Bus } from '@sealwire/bus/port';
import { createMetrics, type Metrics } from '@sealwire/service/metrics';
import { DeviceIdCache } from '@sealwire/wire/device-id-cache';
import { decodeServerFrame } from '@sealwire/wire/frame-codec';
import type { Lane, Presence as PresenceFrame } from '@sealwire/wire/frames';
import { type AccountAddress, type DeviceId, parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { decodeNodeMessage, NODES_CHANNEL, type NodeMessage, nodeChannel } from '@sealwire/wire/node-messages';
import { Publisher } from '../nodes/publisher.ts';
import { Presence } from '../presence/presence.ts';
import type { Shower } from '../presence/showing.ts';
import { DEFAULT_SETTINGS, type RelaySettings } from '../settings.ts';
import { ticks } from '../time/timer-wheel.ts';
import { turns } from './test-relay.ts';

export const accountNamed = (name: string): AccountAddress => parseAccountAddress(`sip:${name}@relay.test`);
const deviceOf = (name: string, number: number) => parseDeviceId(`${accountNamed(name)};gr=urn:uuid:${number}`);

/** A socket, and all that it was told: `bob online`. */
export interface TestSocket extends Shower {
  closed: boolean;
  readonly frames: PresenceFrame[];
  heard(): string[];
}

export interface TestNode {
  readonly name: string;
  readonly presence: Presence;
  readonly metrics: Metrics;
  /** What it said on the bus. */
  readonly said: NodeMessage[];
  /** Devices with a socket that receives elsewhere. */
  readonly receiving: Set<DeviceId>;
  /** Whether what it says is lost, all or some. */
  loses: (message: NodeMessage) => boolean;
  isDead: boolean;
  /** `show(socket('bob'), 'alice', 'carol')`. */
  socket(name: string, number?: number, lane?: Lane): TestSocket;
  show(socket: TestSocket, ...to: string[]): void;
  close(socket: TestSocket): void;
}

export class PresenceWorld {
  ms = Date.UTC(2026, 0, 1);
  readonly nodes: TestNode[] = [];
  readonly #settings: Partial<RelaySettings>;
  readonly #hub = new MemoryHub();
  readonly #deviceIds = new DeviceIdCache();
  /** Of each node: says that it is there. */
  readonly #heres: (() => void)[] = [];
  #tick = 0;
  #run = 0;

  constructor(settings: Partial<RelaySettings> = {}) {
    this.#settings = settings;
  }

  async node(name: string): Promise<TestNode> {
    const metrics = createMetrics();
    const said: NodeMessage[] = [];
    const receiving = new Set<DeviceId>();
    const own = openMemoryBus(this.#hub);
    const run = new Uint8Array(8).fill(++this.#run);
    const bus: Pick<Bus, 'publish'> = {
      async publish(channel, bytes) {
        const message = decodeNodeMessage(bytes);
        if (node.isDead || node.loses(message)) return;
        said.push(message);
        await own.publish(channel, bytes);
      },
    };
    const presence = new Presence({
      node: name,
      publisher: new Publisher(bus, metrics, () => this.ms),
      settings: { ...DEFAULT_SETTINGS, ...this.#settings },
      now: () => this.ms,
      metrics,
      isReceiving: (device) => receiving.has(device),
    });
    const node: TestNode = {
      name,
      presence,
      metrics,
      said,
      receiving,
      loses: () => false,
      isDead: false,
      socket: (of, number = 1, lane = 'both') => socketOf(deviceOf(of, number), lane),
      show: (socket, ...to) => presence.show(socket, { accounts: to.map(accountNamed), away: false }),
      close(socket) {
        socket.closed = true;
        presence.left(socket);
      },
    };
    const hear = (bytes: Uint8Array) => {
      const message = decodeNodeMessage(bytes, this.#deviceIds);
      if (node.isDead) return;
      if (message.kind === 'here') presence.hearHere(message);
      else if (message.kind === 'presence' || message.kind === 'presence-round') presence.hear(message);
    };
    await own.subscribe(NODES_CHANNEL, hear);
    await own.subscribe(nodeChannel(name), hear);
    this.nodes.push(node);
    const here = { node: name, run, since: this.ms };
    this.#heres.push(() => {
      if (!node.isDead) for (const other of this.nodes) other.presence.hearHere({ ...here, at: this.ms });
    });
    for (const say of this.#heres) say();
    return node;
  }

  /** So much time passes: every tick is run, and what is said in it heard. */
  async pass(ms: number): Promise<void> {
    for (let n = 0; n < ticks(ms); n++) {
      this.ms += 250;
      this.#tick++;
      if (this.#tick % ticks(DEFAULT_SETTINGS.probeEveryMs) === 0) for (const say of this.#heres) say();
      for (const { presence, isDead } of this.nodes) if (!isDead) presence.due(this.#tick);
      await turns(2);
    }
  }
}

function socketOf(device: DeviceId, lane: Lane): TestSocket {
  const frames: PresenceFrame[] = [];
  const writer = {
    waitingBytes: 0,
    frame: (bytes: Uint8Array) => frames.push(decodeServerFrame(bytes) as PresenceFrame),
  };
  return {
    device,
    lane,
    closed: false,
    writer: writer as never,
    frames,
    heard: () =>
      frames
        .splice(0)
        .flatMap(({ peers }) => peers)
        .map(({ account, state }) => `${account.slice('sip:'.length, account.indexOf('@'))} ${state}`),
  };
}
