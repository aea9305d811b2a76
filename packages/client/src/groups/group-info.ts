/** A group as an application sees it. */
import { decodeFileDescriptor, type FileDescriptor } from '@sealwire/wire/file-descriptor';
import type { AccountAddress } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import type { Group } from './group.ts';
import { linkId } from './group-links.ts';

export interface GroupMember {
  readonly address: AccountAddress;
  readonly role: 'administrator' | 'member';
}

export interface GroupLinkInfo {
  readonly id: string;
  readonly by: AccountAddress;
  /** ms since 1970; absent: no end. */
  readonly expiresAt?: number;
  /** How many may join by it, absent: any number; and how many did. */
  readonly uses?: number;
  readonly used: number;
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
  /** By which accounts join. */
  readonly links: readonly GroupLinkInfo[];
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
  const links = group.state.links.map((link) => {
    const { by, expiresAt, uses, used } = link;
    return {
      id: linkId(link),
      by,
      used,
      ...(expiresAt !== undefined && { expiresAt }),
      ...(uses !== undefined && { uses }),
    };
  });
  return { address, subject, standing, members, invited, lifetime, links, ...(file && { picture: file }) };
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
