/** What all connections of a relay share. */
import type { Log } from '@sealwire/service/log';
import type { Metrics } from '@sealwire/service/metrics';
import type { DeviceIdCache } from '@sealwire/wire/device-id-cache';
import type { OutboxServices } from '../delivery/outbox.ts';
import type { Committer } from '../mailboxes/committer.ts';
import type { Announcements } from '../nodes/announcements.ts';
import type { Presence } from '../presence/presence.ts';
import type { Router } from '../sending/router.ts';
import type { RelaySettings } from '../settings.ts';
import type { Turn } from '../time/turn.ts';
import type { Login } from './login.ts';
import type { LoginQueue } from './login-queue.ts';
import type { Session } from './session.ts';
import type { ClaimParts } from './session-claim.ts';
import type { SessionWatchParts } from './session-watch.ts';
import type { Sessions } from './sessions.ts';
import type { TrafficGauges } from './traffic-gauges.ts';

export interface ConnectionParts extends SessionWatchParts, ClaimParts {
  readonly settings: RelaySettings;
  readonly turn: Turn;
  readonly deviceIds: DeviceIdCache;
  readonly login: Login;
  readonly logins: LoginQueue;
  readonly sessions: Sessions;
  readonly router: Router;
  readonly announcements: Announcements;
  readonly presence: Presence;
  /** A session that has just begun. */
  readonly arrived: (session: Session) => void;
  readonly committer: Committer;
  readonly outboxes: OutboxServices;
  readonly connections: Set<Session>;
  readonly traffic: TrafficGauges;
  readonly metrics: Pick<Metrics, 'relayConnectionsClosed' | 'relaySessions' | 'unhandledErrors'>;
  readonly log: Log;
}
