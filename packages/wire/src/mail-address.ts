/**
 * Mail addresses: a mailbox of RFC 5321 with a dot string before the `@`. No quotes, no comments, nothing that the head of a mail or a
 * line of SMTP takes for its own.
 */

/** RFC 5321 section 4.5.3.1.3, without the angle brackets. */
export const MAIL_ADDRESS_CHARACTERS = 254;
const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
export const MAIL_ADDRESS = new RegExp(`^${ATOM}(?:\\.${ATOM})*@${LABEL}(?:\\.${LABEL})*$`);

export function isMailAddress(text: string): boolean {
  return text.length <= MAIL_ADDRESS_CHARACTERS && MAIL_ADDRESS.test(text);
}
