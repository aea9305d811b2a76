/**
 * What this node hears on the bus: the channel of all nodes and its own. Nothing of it is the truth, so that what cannot be decoded is
 * dropped and counted (case B09). A message to ourselves proves that the bus works; when it does not come, we subscribe anew and look
 * into all mailboxes (delivery, "subscribe first").
 */
import { type Bus, BusError, type Subscription } from '@sealwire/bus/port';
import type { Metrics } from '@sealwire/service/metrics';
import type { DeviceIdCache } from '@sealwire/wire/device-id-cache';
import { closeCodeOf } from '@sealwire/wire/errors';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import {
  decodeNodeMessage,
  encodeNodeMessage,
  NODES_CHANNEL,
  type NodeMessage,
  nodeChannel,
} from '@sealwire/wire/node-messages';
import type { AccountDevices } from '../sending/account-devices.ts';
import type { RelaySettings } from '../settings.ts';
import type { Sessions } from '../sockets/sessions.ts';
import { ticks, type WheelEntry } from '../time/timer-wheel.ts';
import type { Timers } from '../time/timers.ts';
import type { Hub } from './hub.ts';

export interface NodeListenerParts {
  readonly node: string;
  readonly bus: Bus;
  readonly hub: Hub;
  readonly sessions: Sessions;
  readonly accountDevices: AccountDevices;
  readonly deviceIds: DeviceIdCache;
  readonly metrics: Pick<Metrics, 'unhandledErrors'>;
  readonly timers: Timers;
  readonly settings: Pick<RelaySettings, 'probeWithinMs' | 'probeEveryMs'>;
}

const DEVICE_REMOVED = closeCodeOf('device-removed');

export class NodeListener implements WheelEntry {
  slot = -1;
  private subscriptions: Subscription[] = [];
  private probes = new Set<() => void>();
  private stopped = false;

  constructor(private readonly parts: NodeListenerParts) {}

  /** Resolves when both subscriptions are confirmed. Rejects with `BusError`. */
  async start(): Promise<void> {
    await this.subscribe();
    this.parts.hub.publish(NODES_CHANNEL, encodeNodeMessage({ kind: 'who-is-there', node: this.parts.node }));
  }

  /** Sends a message to ourselves through the bus. Rejects with `BusError` when it is not heard in time. */
  async probe(): Promise<void> {
    const { node, bus, timers, settings } = this.parts;
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
    return tick + ticks(this.parts.settings.probeEveryMs);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.subscriptions.map((subscription) => subscription.unsubscribe()));
  }

  private async subscribe(): Promise<void> {
    const { bus, node } = this.parts;
    this.subscriptions = await Promise.all([
      bus.subscribe(NODES_CHANNEL, (message) => this.hear(message, true)),
      bus.subscribe(nodeChannel(node), (message) => this.hear(message, false)),
    ]);
  }

  private async subscribeAgain(): Promise<void> {
    const { metrics, sessions } = this.parts;
    metrics.unhandledErrors.inc({ where: 'bus-probe' });
    if (this.stopped) return;
    const old = this.subscriptions;
    try {
      await this.subscribe();
      await Promise.all(old.map((subscription) => subscription.unsubscribe()));
    } catch {
      // The next probe tries again; until then the polls deliver.
      return;
    }
    for (const session of sessions.receivers()) session.pollSoon();
  }

  private hear(bytes: Uint8Array, toAll: boolean): void {
    try {
      this.dispatch(decodeNodeMessage(bytes, this.parts.deviceIds), toAll);
    } catch {
      this.parts.metrics.unhandledErrors.inc({ where: 'bus-message' });
    }
  }

  private dispatch(message: NodeMessage, toAll: boolean): void {
    const { node, hub, sessions, accountDevices } = this.parts;
    switch (message.kind) {
      case 'device-removed':
        accountDevices.forget(accountOf(message.device));
        sessions.closeDevice(message.device, DEVICE_REMOVED);
        return;
      case 'devices-changed':
        accountDevices.forget(message.address);
        return;
      case 'sessions-opened':
        if (message.node === node) return;
        for (const { device, session } of message.sessions) {
          hub.seenAt(device, message.node);
          sessions.openedElsewhere(device, session);
        }
        return;
      case 'sessions-closed':
        for (const { device } of message.sessions) hub.goneFrom(device, message.node);
        return;
      case 'who-is-there':
        if (message.node === node) this.heardOurselves();
        else for (const session of sessions.receivers()) hub.announce(session, nodeChannel(message.node));
        return;
      case 'wake':
        for (const device of message.devices) this.wake(device, toAll);
        return;
      case 'ephemeral':
        sessions.receiver(message.device)?.writer.frame(message.frame);
        return;
    }
  }

  private wake(device: DeviceId, toAll: boolean): void {
    const session = this.parts.sessions.receiver(device);
    if (!session) return;
    session.outbox?.wake();
    // Whoever called all nodes does not know yet where this device is.
    if (toAll) this.parts.hub.announce(session);
  }

  private heardOurselves(): void {
    const { probes } = this;
    this.probes = new Set();
    for (const heard of probes) heard();
  }
}
