/** Mail that a server sends: a text to one address. Two adapters under one contract suite (contract.ts). */

export interface Mail {
  /** One address, as `isMailAddress` (wire/mail-address) takes it. */
  readonly to: string;
  /** ASCII. */
  readonly subject: string;
  readonly text: string;
}

export interface Mailer {
  /** Resolves when somebody else answers for it: a mail server, or the disk. Rejects with `MailError`. */
  send(mail: Mail): Promise<void>;
  close(): Promise<void>;
}

/** `refused`: this address never gets mail. `unavailable`: later it may; the mail may have gone out. */
export class MailError extends Error {
  override readonly name = 'MailError';

  constructor(
    readonly kind: 'refused' | 'unavailable',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
