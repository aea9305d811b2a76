/** A group as this device knows it: its log, and what that says. */
import type { Log } from '@sealwire/membership/log';
import type { GroupMember, GroupState, OpenInvitation } from '@sealwire/membership/state';
import type { GroupAction } from '@sealwire/wire/group-event';
import type { AccountAddress } from '@sealwire/wire/ids';

/** What is done in a group that there is. */
export type GroupAct = Exclude<GroupAction, { kind: 'create' }>;

export interface Group {
  readonly address: AccountAddress;
  readonly log: Log;
  readonly state: GroupState;
  /** By address. */
  readonly members: ReadonlyMap<AccountAddress, GroupMember>;
  readonly invited: ReadonlyMap<AccountAddress, OpenInvitation>;
}
