/**
 * What may wait for one account, divided over its devices: so its sum has a bound, and nobody has to count over mailboxes
 * (docs/adr/0022-limits-count-accounts.md).
 */
import type { Room } from '@sealwire/store/port';

export class AccountQuota {
  /** By number of devices. */
  private readonly rooms = new Map<number, Room>();

  constructor(
    private readonly account: Room,
    private readonly mailbox: Room,
  ) {}

  /** Of each mailbox of an account with so many devices. `own`: of this account, in the place of what all have. */
  roomOf(devices: number, own?: Partial<Room>): Room {
    if (own) return this.shareOf({ ...this.account, ...own }, devices);
    let room = this.rooms.get(devices);
    if (!room) {
      room = this.shareOf(this.account, devices);
      this.rooms.set(devices, room);
    }
    return room;
  }

  private shareOf(quota: Room, devices: number): Room {
    const share = (all: number, limit: number) => Math.max(1, Math.min(limit, Math.floor(all / devices)));
    return {
      messages: share(quota.messages, this.mailbox.messages),
      bytes: share(quota.bytes, this.mailbox.bytes),
    };
  }
}
