/** A folder of schema 1, which had no journal, becomes one of today's: once, by the first process that opens it. */
import type { DeviceId } from '@sealwire/wire/ids';
import { type Environment, SCHEMA, SCHEMA_KEY } from './environment.ts';
import { prefixedKey } from './keys.ts';
import { withoutJournal } from './mailbox-head.ts';

export function upgrade({ root, databases }: Environment): void {
  const isCurrent = () => root.getBinary(SCHEMA_KEY)?.toString() === SCHEMA;
  if (isCurrent()) return;
  root.transactionSync(() => {
    if (isCurrent()) return;
    for (const device of [...databases.devices.getKeys()]) {
      const key = prefixedKey(device.toString('utf8') as DeviceId);
      const head = databases.mailboxes.getBinary(key);
      if (head) databases.mailboxes.putSync(key, withoutJournal(head));
    }
    root.putSync(SCHEMA_KEY, Buffer.from(SCHEMA));
  });
}
