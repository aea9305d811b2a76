/**
 * Mail through a server (RFC 5321), over TLS: `smtps:` from the first byte, `smtp:` by STARTTLS, without which nothing is said but on this
 * machine. One connection a mail: a deployment makes few accounts a minute.
 */
import { createTransport } from 'nodemailer';
import { MailError, type Mailer } from './port.ts';

/** An answer to a request waits for it. */
const WITHIN_MS = 8_000;
const THIS_MACHINE = ['localhost', '127.0.0.1', '[::1]'];

export interface SmtpOptions {
  readonly url: URL;
  readonly from: string;
}

export function openSmtp({ url, from }: SmtpOptions): Mailer {
  const secure = url.protocol === 'smtps:';
  const isNear = THIS_MACHINE.includes(url.hostname);
  const user = decodeURIComponent(url.username);
  const transport = createTransport({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (secure ? 465 : 587),
    secure,
    requireTLS: !secure && !isNear,
    ...(isNear && { tls: { rejectUnauthorized: false } }),
    ...(user !== '' && { auth: { user, pass: decodeURIComponent(url.password) } }),
    connectionTimeout: WITHIN_MS,
    greetingTimeout: WITHIN_MS,
    socketTimeout: WITHIN_MS,
    // What a mail holds comes from us: no file, no URL.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send(mail) {
      try {
        await transport.sendMail({ ...mail, from });
      } catch (cause) {
        throw mailErrorOf(cause);
      }
    },
    close: async () => transport.close(),
  };
}

/** The server's words are not repeated: they may name the user, or echo what was sent. */
function mailErrorOf(cause: unknown): MailError {
  const { code, command, responseCode = 0 } = cause as { code?: string; command?: string; responseCode?: number };
  const isAboutAddress = code === 'EENVELOPE' && command === 'RCPT TO';
  if (isAboutAddress && responseCode >= 500)
    return new MailError('refused', `the mail server refuses this address (${responseCode})`, { cause });
  const why = [code, command, responseCode || undefined].filter(Boolean).join(' ');
  return new MailError('unavailable', `the mail server did not take a mail (${why})`, { cause });
}
