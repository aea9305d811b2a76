/** Mail that a server sends: its settings, said once for all servers of a process, and how the mailer is opened. */
import { openMailer } from '@sealwire/mail/open';
import { MailError, type Mailer } from '@sealwire/mail/port';
import { isMailAddress } from '@sealwire/wire/mail-address';
import { z } from 'zod';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { openOrExplain } from './boot.ts';
import { ConfigError, setting } from './config.ts';
import { wholeNumber } from './settings.ts';

export const MAIL_SETTINGS = {
  MAIL_URL: setting(z.string().min(1).optional(), {
    about:
      'Where mails go, of `GATE=email` and of `NES_PROVIDER=on`: `smtps://USER:PASSWORD@HOST`, `smtp://…` (STARTTLS), or `folder:PATH` for files.',
    secret: true,
    example: 'smtps://sealwire:PASSWORD@mail.example.org',
  }),
  MAIL_FROM: setting(z.string().refine(isMailAddress, 'not a mail address').optional(), {
    about: 'The sender of these mails. Not set: `no-reply@DOMAIN`.',
    example: 'no-reply@example.org',
  }),
  MAILS_PER_ADDRESS: setting(wholeNumber(0), {
    about: 'Mails an hour that one client address may cause; 0: no limit.',
    default: '10',
  }),
  MAILS_PER_RECIPIENT: setting(wholeNumber(0), {
    about: 'Mails a day to one mail address, whoever asks; 0: no limit.',
    default: '3',
  }),
} as const;

export interface MailNeeds {
  /** What sends mails, for the line that says that nobody said where to. */
  readonly neededBy: string;
  /** Where they go when nothing else is said; undefined: nowhere. */
  readonly folder?: string | undefined;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'mails'>;
  readonly now: () => number;
  readonly random: (length: number) => Uint8Array;
}

/** Throws `ConfigError` for a `MAIL_URL` that is missing or none. */
export async function openServerMailer(
  settings: {
    readonly DOMAIN: string;
    readonly MAIL_URL?: string | undefined;
    readonly MAIL_FROM?: string | undefined;
  },
  { neededBy, folder, log, metrics, now, random }: MailNeeds,
): Promise<Mailer> {
  const { MAIL_URL: url = folder && `folder:${folder}`, MAIL_FROM: from = `no-reply@${settings.DOMAIN}` } = settings;
  if (url === undefined)
    throw new ConfigError('MAIL_URL', `${neededBy} needs it`, 'set it to smtps://USER:PASSWORD@HOST or folder:PATH');
  const written = (file: string) => log.warn('mail-written', { path: file });
  const mailer = await openOrExplain('MAIL_URL', () => openMailer(url, { from, now, random, written }));
  return counted(mailer, metrics);
}

function counted(mailer: Mailer, metrics: Pick<Metrics, 'mails'>): Mailer {
  return {
    async send(mail) {
      try {
        await mailer.send(mail);
        metrics.mails.inc({ result: 'sent' });
      } catch (error) {
        metrics.mails.inc({ result: error instanceof MailError ? error.kind : 'unavailable' });
        throw error;
      }
    },
    close: () => mailer.close(),
  };
}
