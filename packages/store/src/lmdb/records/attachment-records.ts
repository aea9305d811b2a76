/** Records of attachments, each with a key that sorts by its end. */
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Attachment } from '../../port.ts';
import { GONE_WITH_ACCOUNT } from '../../sameness.ts';
import type { Databases } from '../environment.ts';
import { endOf, prefixedKey, u48 } from './keys.ts';
import { RecordReader, RecordWriter } from './record.ts';

const NOTHING = Buffer.alloc(0);
const END_BYTES = 6;

export function readAttachment(databases: Databases, address: AccountAddress, id: string): Attachment | undefined {
  const bytes = databases.attachments.getBinary(keyOf(address, id));
  return bytes && decode(bytes);
}

/** In the order of their ids. */
export function attachmentsOf({ attachments }: Databases, address: AccountAddress): Attachment[] {
  const prefix = prefixedKey(address);
  return [...attachments.getRange({ start: prefix, end: endOf(prefix) })].map(({ value }) => decode(value));
}

/** Whose have ended by `now`, up to `limit`, those that ended first. */
export function endedAttachments(
  databases: Databases,
  now: number,
  limit: number,
): { address: AccountAddress; attachment: Attachment }[] {
  const keys = databases.attachmentends.getKeys({ end: u48(now + 1), limit });
  return [...keys].flatMap((key) => {
    const name = key.subarray(END_BYTES);
    const bytes = databases.attachments.getBinary(name);
    const address = name.subarray(0, name.indexOf(0)).toString('utf8') as AccountAddress;
    return bytes ? [{ address, attachment: decode(bytes) }] : [];
  });
}

export function writeAttachment(databases: Databases, address: AccountAddress, attachment: Attachment): void {
  removeAttachment(databases, address, attachment.id);
  const { id, bytes, handle, isComplete, expiresAt } = attachment;
  const record = new RecordWriter().text(id).number(bytes).text(handle).number(Number(isComplete)).number(expiresAt);
  databases.attachments.putSync(keyOf(address, id), record.finish());
  databases.attachmentends.putSync(endKey(address, attachment), NOTHING);
}

/** Whether there was one. */
export function removeAttachment(databases: Databases, address: AccountAddress, id: string): boolean {
  const known = readAttachment(databases, address, id);
  if (!known) return false;
  databases.attachmentends.removeSync(endKey(address, known));
  databases.attachments.removeSync(keyOf(address, id));
  return true;
}

/** Their account is gone. */
export function expireAttachments(databases: Databases, address: AccountAddress): void {
  for (const attachment of attachmentsOf(databases, address))
    writeAttachment(databases, address, { ...attachment, expiresAt: GONE_WITH_ACCOUNT });
}

function decode(bytes: Buffer): Attachment {
  const reader = new RecordReader(bytes);
  const id = reader.text();
  const size = reader.number();
  const handle = reader.text();
  const isComplete = reader.number() === 1;
  const expiresAt = reader.number();
  reader.end();
  return { id, bytes: size, handle, isComplete, expiresAt };
}

function keyOf(address: AccountAddress, id: string): Buffer {
  return prefixedKey(address, Buffer.from(id, 'utf8'));
}

function endKey(address: AccountAddress, { id, expiresAt }: Attachment): Buffer {
  return Buffer.concat([u48(expiresAt), keyOf(address, id)]);
}
