/** Whom `-t` names: `bob` (same server), `bob@example.org`, or `sip:bob@example.org`. */
import { type AccountAddress, domainOf, typedAddress } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import { CliError } from './exit-codes.ts';

/**
 * `own`: the address of the one who writes; its domain completes a bare name. `option`: what named it, with a space. Throws `CliError`
 * (`usage`).
 */
export function parseRecipient(text: string, own: AccountAddress, option = '-t '): AccountAddress {
  try {
    const isWhole = text.startsWith('sip:') || !text.includes('@');
    return typedAddress(isWhole ? text : `sip:${text}`, domainOf(own));
  } catch (error) {
    if (error instanceof WireError) throw new CliError('usage', `${option}"${text}": ${error.message}`);
    throw error;
  }
}

/** How an address is shown: the bare name for somebody on our own server. */
export function shortName(address: string, own: AccountAddress): string {
  const at = address.lastIndexOf('@');
  return address.slice(at) === own.slice(own.lastIndexOf('@')) ? address.slice(4, at) : address.slice(4);
}
