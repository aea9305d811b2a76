/**
 * The gate `email` (docs/adr/0041): who has a mail address is sent a code, and with it may make one account. Until then there is none, so
 * that nothing inactive is kept but a hash of the code, and that for a day.
 */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import { MailError, type Mailer } from '@sealwire/mail/port';
import type { Log } from '@sealwire/service/log';
import { Problem } from '@sealwire/service/problem';
import { isBlockedDomain } from '@sealwire/store/operator';
import type { Store } from '@sealwire/store/port';
import { LIMITS } from '@sealwire/wire/limits';
import { createInvitation } from '../accounts/invitations.ts';

export interface ActivationServiceDeps {
  readonly store: Pick<Store, 'accounts' | 'operatorRecords'>;
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  readonly now: () => number;
  readonly log: Log;
  /** Undefined: this server sends no codes. */
  readonly mailer?: Mailer | undefined;
  /** In small letters; empty: any. */
  readonly domains: readonly string[];
  /** Where accounts are made, for the text. */
  readonly origin: string;
}

export class ActivationService {
  constructor(private readonly deps: ActivationServiceDeps) {}

  /** Throws `forbidden` where no codes are sent, and for an address of another domain. */
  check(email: string): void {
    const { mailer, domains } = this.deps;
    if (!mailer) throw new Problem('forbidden', { detail: 'this server sends no codes by mail' });
    const domain = domainIn(email);
    if (domains.length > 0 && !domains.includes(domain))
      throw new Problem('forbidden', { detail: `addresses of ${domains.join(', ')} may have accounts here` });
  }

  /** Sends a code to an address that `check` let pass. Says the same whether or not anybody there has an account. */
  async send(email: string): Promise<{ expiresAt: number }> {
    const { mailer, origin, log, store } = this.deps;
    if (await isBlockedDomain(store, domainIn(email)))
      throw new Problem('forbidden', { detail: 'addresses of this domain get no codes here' });
    const { code, expiresAt } = await createInvitation({
      ...this.deps,
      now: this.deps.now(),
      uses: 1,
      lifeMs: LIMITS.activationMs.value,
    });
    try {
      await mailer!.send({
        to: email,
        subject: `Your code for ${new URL(origin).host}`,
        text: textOf(origin, code, expiresAt),
      });
    } catch (error) {
      if (!(error instanceof MailError)) throw error;
      // The address stays out of the log; the mail server's own log has it.
      log.warn('mail-failed', { reason: error.message });
      if (error.kind === 'unavailable') throw new Problem('unavailable', {}, { cause: error });
      throw new Problem('bad-request', { detail: 'the mail server takes no mail for this address' }, { cause: error });
    }
    return { expiresAt };
  }
}

function domainIn(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1).toLowerCase();
}

function textOf(origin: string, code: string, expiresAt: number): string {
  return [
    `Somebody, we hope you, wants to make an account at ${origin}`,
    'with this mail address. This code is good for one account:',
    '',
    `    ${code}`,
    '',
    `until ${new Date(expiresAt).toUTCString()}. Type it where you were asked for it, or:`,
    '',
    `    sealwire register -u NAME -s ${origin} --invitation ${code}`,
    '',
    'If it was not you, do nothing: without the code there is no account.',
    '',
  ].join('\n');
}
