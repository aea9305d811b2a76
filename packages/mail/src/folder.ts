/** Mail into a folder, one file each (RFC 5322): for a server without a mail server, whose operator hands the mails on or only tries. */
import { mkdirSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { MailError, type Mailer } from './port.ts';

/** Of the part of a file's name that keeps mails of one moment apart. */
const NAME_BYTES = 8;

export interface FolderOptions {
  readonly folder: string;
  readonly from: string;
  readonly now: () => number;
  readonly random: (length: number) => Uint8Array;
  /** Hears of each mail's file. */
  readonly written: (file: string) => void;
}

/** Makes the folder, for this user only. Throws what the file system does. */
export function openMailFolder({ folder, from, now, random, written }: FolderOptions): Mailer {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const composer = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
  return {
    async send(mail) {
      const { message } = await composer.sendMail({ ...mail, from, date: new Date(now()) });
      // In the order in which they were written, in any listing.
      const time = new Date(now()).toISOString().replaceAll(':', '.');
      const file = join(folder, `${time}-${Buffer.from(random(NAME_BYTES)).toString('hex')}.eml`);
      try {
        await writeWhole(file, message as Buffer);
      } catch (cause) {
        throw new MailError('unavailable', `a mail cannot be written into ${folder}`, { cause });
      }
      written(file);
    },
    close: async () => composer.close(),
  };
}

/** Nobody sees half of it, and it is on the disk. */
async function writeWhole(file: string, bytes: Buffer): Promise<void> {
  const unfinished = `${file}.tmp`;
  const handle = await open(unfinished, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
}
