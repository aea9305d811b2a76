/**
 * What a data folder that comes back from a backup must not do again (docs/adr/0065): hand out one-time keys that were handed out since,
 * give a mailbox's numbers twice, or be acknowledged by sessions of the time before. Nobody may have the folder open, and whoever is cut
 * off here begins again with the backup.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import { mergeGaps } from '../gap.ts';
import { openLmdbWalk } from '../lmdb.ts';
import { RESTORED_SEQS, restoredSession } from '../restoring.ts';
import { type Databases, openOwnEnvironment } from './environment.ts';
import { putRing, readRing } from './log/ring-state.ts';
import { decodeHead, doubt, encodeHead, inEpoch } from './mailboxes/head.ts';
import { retireOneTime } from './prekeys.ts';
import { prefixedKey, SUITES } from './records/keys.ts';

const DEVICES_AT_ONCE = 500;

export interface Restored {
  readonly mailboxes: number;
  /** That are handed out no more. */
  readonly oneTimeKeys: number;
}

/** `path`: the folder of the store. Rejects as `openLmdbWalk`: with `corrupt` when its log is damaged. */
export async function markRestored(path: string, now: number): Promise<Restored> {
  // Opened and closed: all of the log is in the mailboxes then.
  await (await openLmdbWalk(path)).close();
  const environment = await openOwnEnvironment(path);
  try {
    const { root, databases } = environment;
    const devices = new Set<DeviceId>();
    for (const db of [databases.devices, databases.waiting])
      for (const key of db.getKeys({})) devices.add(key.toString() as DeviceId);
    const all = [...devices];
    let [mailboxes, oneTimeKeys] = [0, 0];
    for (let at = 0; at < all.length; at += DEVICES_AT_ONCE)
      root.transactionSync(() => {
        for (const device of all.slice(at, at + DEVICES_AT_ONCE)) {
          if (raiseMailbox(databases, device, now)) mailboxes++;
          for (const suite of SUITES) oneTimeKeys += retireOneTime(databases, device, suite, now);
        }
      });
    root.transactionSync(() => {
      const ring = readRing(databases.journal);
      putRing(databases.journal, { ...ring, highestSeq: ring.highestSeq + RESTORED_SEQS });
    });
    return { mailboxes, oneTimeKeys };
  } finally {
    await environment.close();
  }
}

/** False: there is none, or its head is damaged, and is put together behind all numbers when it is opened. */
function raiseMailbox({ mailboxes, journal }: Databases, device: DeviceId, now: number): boolean {
  const key = prefixedKey(device);
  const record = mailboxes.getBinary(key);
  const stored = record && decodeHead(record);
  if (!stored) return false;
  const head = inEpoch(stored, readRing(journal).epoch);
  const settledSeq = head.settledSeq + RESTORED_SEQS;
  const gap = mergeGaps(head.gap, doubt(head.settledSeq + 1, settledSeq));
  const raised = { ...head, settledSeq, gap, session: restoredSession(head.session, now) };
  mailboxes.putSync(key, Buffer.from(encodeHead(raised)));
  return true;
}
