/** Whether an address is a group's, which stands where an account's does (docs/spec/groups.md section 4). */
import { groupIdOf } from './group-event.ts';
import type { AccountAddress } from './ids.ts';

export function isGroupAddress(address: AccountAddress): boolean {
  return groupIdOf(address) !== undefined;
}
