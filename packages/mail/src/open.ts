/** The one place that knows all adapters: `MAIL_URL` chooses, and only the chosen one is loaded. Mains call it, nobody else. */

import { isMailAddress } from '@sealwire/wire/mail-address';
import { urlIn } from '@sealwire/wire/url';
import type { Mailer } from './port.ts';

export interface OpenMailerOptions {
  /** The sender's address. */
  readonly from: string;
  readonly now: () => number;
  /** Cryptographically secure. */
  readonly random: (length: number) => Uint8Array;
  /** Hears of the file of each mail that went into a folder; a log line. */
  readonly written: (file: string) => void;
}

const OPTIONLESS = /^\/?$/;

/** `folder:PATH`, `smtp://[USER:PASSWORD@]HOST[:PORT]` or `smtps://…`. Throws an `Error` whose one line names the problem and the fix. */
export async function openMailer(url: string, options: OpenMailerOptions): Promise<Mailer> {
  const { from } = options;
  if (!isMailAddress(from)) throw new Error(`${from} is no mail address: it looks like no-reply@example.org`);
  const [, folder] = /^folder:(.+)$/s.exec(url) ?? [];
  if (folder !== undefined) {
    const { openMailFolder } = await import('./folder.ts');
    return openMailFolder({ folder, ...options });
  }
  const { openSmtp } = await import('./smtp.ts');
  return openSmtp({ url: smtpUrl(url), from });
}

function smtpUrl(text: string): URL {
  // The value itself is not repeated: it may carry a password.
  const url = urlIn(text);
  if (!url || !['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '')
    throw new Error('the mail URL is none: use smtps://USER:PASSWORD@HOST, smtp://… (STARTTLS) or folder:PATH');
  if (url.search !== '' || url.hash !== '' || !OPTIONLESS.test(url.pathname))
    throw new Error('the mail URL has more than user, password, host and port: leave out what follows the host');
  return url;
}
