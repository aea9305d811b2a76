/** The relay's one door: puts the parts together and hands out what the owner of the port needs. It never listens by itself. */

import type { TokenVerifier } from '@sealwire/access/tokens';
import type { Counters } from '@sealwire/bus/counters';
import { MemoryCounters } from '@sealwire/bus/memory-counters';
import type { Bus } from '@sealwire/bus/port';
import type { RandomBytes } from '@sealwire/crypto/port';
import { clientAddress, limiterKey, type TrustedProxies } from '@sealwire/service/client-address';
import type { DiskWatch } from '@sealwire/service/disk-watch';
import type { SocketDoor } from '@sealwire/service/http-door';
import type { Log } from '@sealwire/service/log';
import type { Metrics } from '@sealwire/service/metrics';
import { Problem } from '@sealwire/service/problem';
import { isDisabled } from '@sealwire/store/operator';
import type { Devices, Store } from '@sealwire/store/port';
import { DeviceIdCache } from '@sealwire/wire/device-id-cache';
import { closeCodeOf } from '@sealwire/wire/errors';
import type { AccountAddress } from '@sealwire/wire/ids';
import { AccountQuota } from './mailboxes/account-quota.ts';
import { Acknowledgements } from './mailboxes/acknowledgements.ts';
import { Committer } from './mailboxes/committer.ts';
import { Expiry } from './mailboxes/expiry.ts';
import { MailClock } from './mailboxes/mail-clock.ts';
import { Announcements } from './nodes/announcements.ts';
import { Hub } from './nodes/hub.ts';
import { NodeListener } from './nodes/node-listener.ts';
import { Peers } from './nodes/peers.ts';
import { Places } from './nodes/places.ts';
import { Publisher } from './nodes/publisher.ts';
import { Repeats } from './nodes/repeats.ts';
import { DayCounter } from './operator/day-counter.ts';
import { OperatorNotices } from './operator/operator-notices.ts';
import { Presence } from './presence/presence.ts';
import { AccountDevices } from './sending/account-devices.ts';
import { ContactGate } from './sending/contact-gate.ts';
import { Router } from './sending/router.ts';
import { SendLimits } from './sending/send-limits.ts';
import type { RelaySettings } from './settings.ts';
import { Connection } from './sockets/connection.ts';
import type { ConnectionParts } from './sockets/connection-parts.ts';
import { Login } from './sockets/login.ts';
import { LoginQueue } from './sockets/login-queue.ts';
import type { Session } from './sockets/session.ts';
import { Sessions } from './sockets/sessions.ts';
import { TrafficGauges } from './sockets/traffic-gauges.ts';
import { createUpgrade } from './sockets/upgrade.ts';
import { drain } from './time/drain.ts';
import { TimerWheel } from './time/timer-wheel.ts';
import { nodeTimers, type Timers } from './time/timers.ts';
import { Turn } from './time/turn.ts';

export { DEFAULT_SETTINGS, type RelaySettings } from './settings.ts';
export type { Timers } from './time/timers.ts';

export interface RelayDeps {
  readonly store: Pick<
    Store,
    'mailboxes' | 'devices' | 'accountRecords' | 'operatorRecords' | 'once' | 'expiryTime' | 'probe'
  >;
  readonly bus: Bus;
  /** Where requests of strangers are counted; this process counts alone unless given. */
  readonly counters?: Counters | undefined;
  readonly tokens: TokenVerifier;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now: () => number;
  readonly random: RandomBytes;
  /** Unique among the nodes that share the bus; see `parseNodeId` of `wire/node-messages`. */
  readonly nodeId: string;
  readonly settings: RelaySettings;
  /** Who may say for whom a socket was opened. */
  readonly proxies: TrustedProxies;
  /** Undefined: no disk of this machine is filled. */
  readonly disks?: Pick<DiskWatch, 'refusesMessage'> | undefined;
  /** Node's by default. */
  readonly timers?: Timers;
}

/** Resolves when the node listens on the bus. Rejects with `BusError`. */
export async function startRelay(deps: RelayDeps): Promise<SocketDoor> {
  const { store, bus, tokens, log, metrics, now, random, nodeId, settings, proxies, timers = nodeTimers } = deps;
  const wheel = new TimerWheel(timers);
  const isOut = (account: AccountAddress) => isDisabled(store, account);
  const turn = new Turn();
  const deviceIds = new DeviceIdCache();
  const sessions = new Sessions();
  const connections = new Set<Session>();
  const places = new Places();
  const publisher = new Publisher(bus, metrics, now);
  const repeats = new Repeats(timers);
  const announcements = new Announcements(nodeId, sessions, places, publisher, repeats);
  const hub = new Hub(sessions, places, publisher, repeats);
  const accountDevices = new AccountDevices(store, settings.accountDevicesMs, now);
  const limits = new SendLimits(settings, now, metrics);
  const mailClock = new MailClock(store.expiryTime, settings, now, metrics, log);
  const router = new Router({
    accountDevices,
    gate: new ContactGate(deps.counters ?? new MemoryCounters(now), metrics),
    limits,
    quota: new AccountQuota(settings.account, settings.mailbox),
    hub,
    turn,
    metrics,
    now,
    mailClock,
    payloadBytes: settings.payloadBytes,
    disks: deps.disks,
    submit: (submission) => committer.submit(submission),
  });
  const committer = new Committer(store.mailboxes, new Acknowledgements(), settings, mailClock, timers, {
    appended(batch, results) {
      router.appended(batch, results);
      days.appended(results, batch[0]?.at ?? now());
    },
    unknown: (batch, error) => {
      log.warn('append-unknown', { count: batch.length, error });
      router.unknown(batch);
    },
    superseded: (session) => closeSuperseded(session, store.devices),
    acknowledgeFailed: (error) => log.warn('acknowledge-failed', { error }),
    unexpected: (error) => {
      metrics.unhandledErrors.inc({ where: 'relay-commit' });
      log.error('commit-failed', { error });
    },
  });
  const traffic = new TrafficGauges(connections, () => committer.waitingMessages, metrics);
  const peers = new Peers(nodeId, random(8), settings, now, metrics, log);
  const presence = new Presence({
    node: nodeId,
    publisher,
    settings,
    now,
    metrics,
    isReceiving: (device) => sessions.receiver(device) !== undefined || places.find(device)?.node !== undefined,
  });
  const notices = new OperatorNotices(store, sessions, now, log);
  const days = new DayCounter({ store, sessions, metrics, now, random, log });
  const listener = new NodeListener({
    node: nodeId,
    bus,
    publisher,
    places,
    announcements,
    peers,
    hub,
    presence,
    notices,
    sessions,
    accountDevices,
    deviceIds,
    metrics,
    log,
    timers,
    settings,
  });
  const parts: ConnectionParts = {
    settings,
    wheel,
    turn,
    deviceIds,
    login: new Login(tokens, store.devices, isOut),
    isDisabled: isOut,
    logins: new LoginQueue(),
    sessions,
    router,
    announcements,
    presence,
    arrived(session) {
      notices.greet(session);
      days.active(session.device);
    },
    committer,
    outboxes: { mailboxes: store.mailboxes, limits: settings, mailClock, traffic },
    mailboxes: store.mailboxes,
    devices: store.devices,
    connections,
    traffic,
    metrics,
    log,
    now,
    random,
  };
  let draining = false;
  const upgrade = createUpgrade(
    settings,
    () => (draining ? new Problem('unavailable') : undefined),
    (ws, socket, request) => void new Connection(ws, socket, limiterKey(clientAddress(request, proxies)), parts),
  );

  await listener.start();
  // Before the first message is taken. A store that does not answer is asked again.
  await mailClock.look().catch((error) => log.warn('mail-clock-failed', { error }));
  const expiry = new Expiry(store, mailClock, settings, now, metrics, log);
  for (const entry of [traffic, listener, presence, notices, days, mailClock, expiry]) wheel.set(entry, wheel.tick + 1);

  async function close(): Promise<void> {
    draining = true;
    for (const connection of connections) connection.close(closeCodeOf('restart'));
    await committer.idle();
    await days.flush();
    await announcements.idle();
    await presence.stop();
    repeats.stop();
    await listener.stop();
    wheel.stop();
  }
  let closing: Promise<void> | undefined;

  return {
    upgrade,
    handle(_request, response) {
      const problem = new Problem('bad-request', { detail: 'this URL takes WebSocket upgrades only' });
      response.writeHead(426, { ...problem.headers(), upgrade: 'websocket', connection: 'upgrade' });
      response.end(problem.body());
    },
    async ready() {
      if (draining) throw new Problem('unavailable', { detail: 'draining' });
      if (peers.isLaterTwin()) throw new Problem('unavailable', { detail: 'an older node has this NODE_ID' });
      await Promise.all([store.probe(), listener.probe(), tokens.ready()]);
    },
    async drain() {
      draining = true;
      await drain(connections, settings.drainPerSecond, timers);
      await committer.idle();
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** The store refuses both: who lost to a newer connection, and who was removed, and must not be told to come back. */
function closeSuperseded(session: Session, devices: Pick<Devices, 'find'>): void {
  const close = (name: 'replaced' | 'device-removed') => session.close(closeCodeOf(name));
  devices.find(session.device).then(
    (device) => close(device ? 'replaced' : 'device-removed'),
    () => close('replaced'),
  );
}
