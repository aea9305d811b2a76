/** A group as an application sees it. */
import { decodeFileDescriptor, type FileDescriptor } from '@sealwire/wire/file-descriptor';
import type { AccountAddress } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import type { Group } from './group-store.ts';

export interface GroupMember {
  readonly address: AccountAddress;
  readonly role: 'administrator' | 'member';
}

export interface GroupInfo {
  /** What messages to it are sent to (`Client.send`). */
  readonly address: AccountAddress;
  readonly subject: string;
  /** Of this account. */
  readonly standing: 'administrator' | 'member' | 'invited' | 'none';
  readonly members: readonly GroupMember[];
  readonly invited: readonly AccountAddress[];
  /** Seconds that messages may be shown; 0: no end. */
  readonly lifetime: number;
  /** For `ClientFiles.download`. */
  readonly picture?: FileDescriptor;
}

/** `own`: the account of this device. */
export function groupInfoOf(group: Group, own: AccountAddress): GroupInfo {
  const { address } = group;
  const { subject, lifetime, picture } = group.state;
  const members = [...group.members].map(([member, { role }]) => ({ address: member, role }));
  const standing = group.members.get(own)?.role ?? (group.invited.has(own) ? 'invited' : 'none');
  const file = picture && pictureIn(picture);
  const invited = [...group.invited.keys()];
  return { address, subject, standing, members, invited, lifetime, ...(file && { picture: file }) };
}

/** Undefined: an administrator's device wrote what is no descriptor. */
function pictureIn(descriptor: Uint8Array): FileDescriptor | undefined {
  try {
    return decodeFileDescriptor(descriptor);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
