/** What happens in groups (docs/spec/groups.md). */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';

/** A member has changed a group: docs/spec/groups.md section 3. */
export interface GroupChangedEvent {
  readonly kind: 'group-changed';
  readonly group: AccountAddress;
  readonly by: AccountAddress;
  readonly change: GroupChange;
  /** ms, the clock of who did it. */
  readonly at: number;
}

export type GroupChange =
  | { readonly kind: 'created'; readonly subject: string }
  | { readonly kind: 'invited' | 'removed' | 'promoted' | 'demoted'; readonly members: readonly AccountAddress[] }
  | { readonly kind: 'joined' | 'joined-by-link' | 'left' | 'declined' | 'picture' | 'link-made' | 'link-revoked' }
  | { readonly kind: 'renamed'; readonly subject: string }
  /** Seconds; 0: messages stay. */
  | { readonly kind: 'timer'; readonly lifetime: number };

/** This account is invited (`client.groups.join`, `decline`). */
export interface GroupInvitedEvent {
  readonly kind: 'group-invited';
  readonly group: AccountAddress;
  readonly by: AccountAddress;
  readonly subject: string;
  readonly members: readonly AccountAddress[];
}

/** Something came for a group that does not count: a message of who is no member, an event that nobody may have made. */
export interface GroupRefusedEvent {
  readonly kind: 'group-refused';
  readonly group: AccountAddress;
  /** Who sent it, who need not have made it. */
  readonly from: AccountAddress;
  readonly device: DeviceId;
  /** docs/spec/groups.md section 6. */
  readonly code: string;
  readonly part: 'message' | 'event';
  /** Of the message. */
  readonly id?: string;
}

/**
 * A member has signed two different events under one number: it tells members different things, or two of its devices acted at once. Both
 * count, for everybody alike.
 */
export interface GroupForkEvent {
  readonly kind: 'group-fork';
  readonly group: AccountAddress;
  readonly by: AccountAddress;
  readonly number: number;
}
