/** Why an event is no part of a log: docs/spec/groups.md section 3. One code each, the same on every device that has what the event follows. */

export const REFUSALS = {
  'bad-group-event': 'the event does not have the documented form',
  'wrong-group': 'the event is of another group',
  'second-create': 'a group is created once',
  'refused-parent': 'the event follows one that was refused',
  'bad-chain': 'the event does not follow the one that it names as the actor’s last',
  'bad-key': 'a key in the event is not a good one',
  'other-key': 'the event is signed with another key than the member has',
  'bad-signature': 'the signature is wrong',
  'not-a-member': 'who acts is not in the group',
  'not-administrator': 'only an administrator of the group may do that',
  'not-invited': 'there is no open invitation of the one who acts',
  'already-member': 'the account is in the group already',
  'already-invited': 'the account is invited already',
  'no-such-member': 'the account is neither in the group nor invited',
  'already-administrator': 'the member is an administrator already',
  'no-account-key': 'the account has no account key: it cannot act for the group',
  'no-such-link': 'there is no such link, or it was revoked',
  'no-such-event': 'there is no such event in the log',
  'link-expired': 'the link has ended: ask for a new one',
  'link-used-up': 'the link was used as often as it may be: ask for a new one',
  'bad-link-proof': 'the link’s key did not sign for this account',
  'was-removed': 'the account was removed after the link was made: it takes an invitation to come back',
  'too-many-members': 'the group has as many members as it may have',
  'too-many-events': 'the log of the group, or the share of the one who acts, is full',
  'too-many-pending': 'too many events wait for others that are not here',
} as const;

export type RefusalCode = keyof typeof REFUSALS;

export class MembershipError extends Error {
  override readonly name = 'MembershipError';

  constructor(
    readonly code: RefusalCode,
    message: string = REFUSALS[code],
  ) {
    super(message);
  }
}
