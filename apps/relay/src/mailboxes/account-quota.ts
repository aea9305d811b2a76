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

  /** Of each mailbox of an account with so many devices. */
  roomOf(devices: number): Room {
    let room = this.rooms.get(devices);
    if (!room) {
      const share = (quota: number, limit: number) => Math.max(1, Math.min(limit, Math.floor(quota / devices)));
      room = {
        messages: share(this.account.messages, this.mailbox.messages),
        bytes: share(this.account.bytes, this.mailbox.bytes),
      };
      this.rooms.set(devices, room);
    }
    return room;
  }
}
