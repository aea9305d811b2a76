/** What the application sees: messages, and the other things that happen; each topic in a file of its own. */
import type { GroupChangedEvent, GroupForkEvent, GroupInvitedEvent, GroupRefusedEvent } from './events/groups.ts';
import type {
  CaughtUpEvent,
  ForkEvent,
  GapEvent,
  HoleEvent,
  LateEvent,
  MessageRefusedEvent,
  MessagesGoneEvent,
  SentAgainEvent,
  SessionRestartedEvent,
  UndecryptableEvent,
} from './events/mailbox.ts';
import type {
  ChangeRefusedEvent,
  DisplayedElsewhereEvent,
  IncomingMessage,
  MessageDeletedEvent,
  MessageEditedEvent,
  ReactionEvent,
  ReceiptEvent,
} from './events/messages.ts';
import type {
  AccountResetEvent,
  ContactRequestEvent,
  ContactsAlarmEvent,
  ContactsChangedEvent,
  DevicesChangedEvent,
  DirectoryKeyChangeEvent,
  DirectoryKeysEvent,
  IdentityChangeEvent,
  TimerChangedEvent,
  VerificationChangedEvent,
} from './events/people.ts';
import type {
  DeviceSkippedEvent,
  LeftOutEvent,
  MemberSkippedEvent,
  NotArrivedEvent,
  SendFailedEvent,
  SendWaitsEvent,
} from './events/sending.ts';

export type * from './events/groups.ts';
export type * from './events/mailbox.ts';
export type * from './events/messages.ts';
export type * from './events/people.ts';
export type * from './events/sending.ts';

/**
 * The application began with an event five times and never asked for the next one: it was set aside, so that the others are read.
 * `ClientInbox.parked` shows it, `ClientInbox.retry` asks for it again.
 */
export interface ParkedEvent {
  readonly kind: 'parked';
  readonly id: string;
  /** What it was. */
  readonly what: SetAside['event']['kind'];
  /** A hundred are kept: the oldest one, which went for this one. */
  readonly forgotten?: string;
}

export type IncomingEvent =
  | IncomingMessage
  | GapEvent
  | CaughtUpEvent
  | UndecryptableEvent
  | SessionRestartedEvent
  | MessagesGoneEvent
  | SentAgainEvent
  | MessageRefusedEvent
  | IdentityChangeEvent
  | AccountResetEvent
  | DirectoryKeyChangeEvent
  | DevicesChangedEvent
  | ContactsChangedEvent
  | VerificationChangedEvent
  | TimerChangedEvent
  | ContactsAlarmEvent
  | ContactRequestEvent
  | DirectoryKeysEvent
  | SendFailedEvent
  | LeftOutEvent
  | HoleEvent
  | LateEvent
  | ForkEvent
  | NotArrivedEvent
  | DeviceSkippedEvent
  | SendWaitsEvent
  | ReceiptEvent
  | DisplayedElsewhereEvent
  | MessageEditedEvent
  | MessageDeletedEvent
  | ReactionEvent
  | ChangeRefusedEvent
  | GroupChangedEvent
  | GroupInvitedEvent
  | GroupRefusedEvent
  | GroupForkEvent
  | MemberSkippedEvent
  | ParkedEvent;

/** A parked event under its id. */
export interface SetAside {
  readonly id: string;
  readonly event: Exclude<IncomingEvent, CaughtUpEvent | ParkedEvent>;
}

export type ConnectionState = 'offline' | 'connecting' | 'online' | 'stopped';
