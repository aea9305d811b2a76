/**
 * What this node hears on the bus: the channel of all nodes and its own. Nothing of it is the truth,
 * so that what cannot be decoded is dropped and counted (case B09). After an interruption nothing is
 * believed any more and all mailboxes are looked into (delivery, "subscribe first"); a message to
 * ourselves finds out about one that the bus did not tell.
 */
import { type Bus, BusError, type Subscription } from '@sealwire/bus/port';
import type { Log } from '@sealwire/service/log';
import type { Metrics } from '@sealwire/service/metrics';
import type { DeviceIdCache } from '@sealwire/wire/device-id-cache';
import { closeCodeOf } from '@sealwire/wire/errors';
import { encodeServerFrame } from '@sealwire/wire/frame-codec';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import {
  decodeNodeMessage,
  encodeNodeMessage,
  NODES_CHANNEL,
  type NodeMessage,
  nodeChannel,
} from '@sealwire/wire/node-messages';
import type { OperatorNotices } from '../operator/operator-notices.ts';
import type { Presence } from '../presence/presence.ts';
import type { AccountDevices } from '../sending/account-devices.ts';
import type { RelaySettings } from '../settings.ts';
import type { Session } from '../sockets/session.ts';
import type { Sessions } from '../sockets/sessions.ts';
import { ticks, type WheelEntry } from '../time/timer-wheel.ts';
import type { Timers } from '../time/timers.ts';
import type { Announcements } from './announcements.ts';
import type { Hub } from './hub.ts';
import type { Peers } from './peers.ts';
import type { Places } from './places.ts';
import type { Publisher } from './publisher.ts';

export interface NodeListenerParts {
  readonly node: string;
  readonly bus: Bus;
  readonly publisher: Publisher;
  readonly places: Places;
  readonly announcements: Announcements;
  readonly peers: Peers;
  readonly hub: Hub;
  readonly presence: Presence;
  readonly notices: Pick<OperatorNotices, 'refresh'>;
  readonly sessions: Sessions;
  readonly accountDevices: AccountDevices;
  readonly deviceIds: DeviceIdCache;
  readonly metrics: Pick<Metrics, 'busFaults' | 'busHeard' | 'busRoundTrip' | 'unhandledErrors'>;
  readonly log: Log;
  readonly timers: Timers;
  readonly settings: Pick<RelaySettings, 'probeWithinMs' | 'probeEveryMs'>;
}

const DEVICE_REMOVED = closeCodeOf('device-removed');
/** A device looks for a new token, and the login tells its owner why there is none. */
const TOKEN_REFUSED = closeCodeOf('token-refused');

export class NodeListener implements WheelEntry {
  slot = -1;
  private subscriptions: Subscription[] = [];
  private probes = new Set<() => void>();
  private stopped = false;
  private interrupted = false;

  constructor(private readonly parts: NodeListenerParts) {}

  /** Resolves when both subscriptions are confirmed. Rejects with `BusError`. */
  async start(): Promise<void> {
    await this.subscribe();
    this.lookAround();
  }

  /** Sends a message to ourselves through the bus. Rejects with `BusError` when it is not heard in time. */
  async probe(): Promise<void> {
    const { node, bus, timers, settings, metrics } = this.parts;
    const stop = metrics.busRoundTrip.startTimer();
    await new Promise<void>((resolve, reject) => {
      const fail = (error: unknown) => {
        this.probes.delete(heard);
        reject(error);
      };
      const cancel = timers.after(settings.probeWithinMs, () =>
        fail(new BusError('the bus lost a message to ourselves')),
      );
      const heard = () => {
        cancel();
        stop();
        resolve();
      };
      this.probes.add(heard);
      bus.publish(nodeChannel(node), encodeNodeMessage({ kind: 'who-is-there', node })).catch((error) => {
        cancel();
        fail(error);
      });
    });
  }

  due(tick: number): number {
    this.probe().catch(() => this.subscribeAgain());
    this.sayHere();
    return tick + ticks(this.parts.settings.probeEveryMs);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.subscriptions.map((subscription) => subscription.unsubscribe()));
  }

  private async subscribe(): Promise<void> {
    const { bus, node } = this.parts;
    this.subscriptions = await Promise.all([
      bus.subscribe(NODES_CHANNEL, (message) => this.hear(message, true), this.onInterruption),
      bus.subscribe(nodeChannel(node), (message) => this.hear(message, false), this.onInterruption),
    ]);
  }

  private async subscribeAgain(): Promise<void> {
    this.parts.metrics.busFaults.inc({ fault: 'unheard' });
    if (this.stopped) return;
    const old = this.subscriptions;
    try {
      await this.subscribe();
      await Promise.all(old.map((subscription) => subscription.unsubscribe()));
    } catch {
      // The next probe tries again; until then the polls deliver.
      return;
    }
    this.lookAround();
  }

  /** Both subscriptions tell of what interrupted both. */
  private readonly onInterruption = (): void => {
    if (this.interrupted) return;
    this.interrupted = true;
    this.parts.metrics.busFaults.inc({ fault: 'interrupted' });
    setImmediate(() => {
      this.interrupted = false;
      if (!this.stopped) this.lookAround();
    });
  };

  /**
   * Nothing is known: asks who is there, tells who is here, and has all mailboxes looked into soon, and
   * whether the devices are there still. What the bus refuses of it is repeated: what hears and what
   * speaks are connections of their own, and this one may be the first that is back.
   */
  private lookAround(): void {
    const { places, announcements, sessions } = this.parts;
    places.clear();
    announcements.ask();
    this.sayHere();
    for (const session of sessions.receivers()) announcements.opened(session);
    for (const session of sessions.all()) session.pollSoon();
    this.parts.presence.lookAround();
  }

  private sayHere(): void {
    const { publisher, peers } = this.parts;
    void publisher.publishOrDrop(NODES_CHANNEL, { kind: 'here', ...peers.here() });
  }

  private hear(bytes: Uint8Array, toAll: boolean): void {
    const { deviceIds, metrics, log } = this.parts;
    let message: NodeMessage;
    try {
      message = decodeNodeMessage(bytes, deviceIds);
    } catch {
      metrics.busFaults.inc({ fault: 'undecodable' });
      return;
    }
    metrics.busHeard.inc({ kind: message.kind });
    try {
      this.dispatch(message, toAll);
    } catch (error) {
      metrics.unhandledErrors.inc({ where: 'bus-message' });
      log.error('bus-message-failed', { reason: message.kind, error });
    }
  }

  private dispatch(message: NodeMessage, toAll: boolean): void {
    const { node, places, announcements, hub, sessions, accountDevices } = this.parts;
    switch (message.kind) {
      case 'device-removed':
        accountDevices.forget(accountOf(message.device));
        sessions.closeDevice(message.device, DEVICE_REMOVED);
        return;
      case 'account-disabled':
        sessions.closeAccount(message.address, TOKEN_REFUSED);
        return;
      case 'notices-changed':
        void this.parts.notices.refresh();
        return;
      case 'devices-changed':
        accountDevices.forget(message.address);
        this.tellOf('manifest-published', message.version, message.devices);
        return;
      case 'contacts-changed':
        accountDevices.forget(message.address);
        this.tellOf('contacts-published', message.version, message.devices);
        return;
      case 'sessions-opened':
        if (message.node === node) return;
        for (const { device, session } of message.sessions) {
          sessions.openedElsewhere(device, session);
          if (places.opened(device, message.node, session)) hub.wake(device);
        }
        hub.flush();
        return;
      case 'sessions-closed':
        for (const { device, session } of message.sessions) places.closed(device, session);
        return;
      case 'who-is-there':
        if (message.node === node) this.heardOurselves();
        else announcements.answer(message.node);
        return;
      case 'here':
        // One of our name that has not heard of us yet.
        this.parts.presence.hearHere(message);
        if (this.parts.peers.hear(message)) this.sayHere();
        return;
      case 'presence':
      case 'presence-round':
        this.parts.presence.hear(message);
        return;
      case 'wake':
        for (const device of message.devices) this.called(device, toAll)?.outbox?.wake();
        return;
      case 'ephemeral':
        this.called(message.device, toAll)?.writer.frame(message.frame);
        return;
    }
  }

  /** The session of a device that another node called. Whoever called all nodes does not know yet where it is. */
  private called(device: DeviceId, toAll: boolean): Session | undefined {
    const session = this.parts.sessions.receiver(device);
    if (session && toAll) this.parts.announcements.opened(session);
    return session;
  }

  /** A hint: a device that it does not reach learns of it by its next connection, of a manifest by its next send. */
  private tellOf(
    kind: 'manifest-published' | 'contacts-published',
    version: number,
    devices: readonly DeviceId[],
  ): void {
    if (version === 0) return;
    const frame = encodeServerFrame({ kind, version });
    for (const device of devices) this.parts.sessions.receiver(device)?.writer.frame(frame);
  }

  private heardOurselves(): void {
    const { probes } = this;
    this.probes = new Set();
    for (const heard of probes) heard();
  }
}
