/** What becomes of a message of somebody who is not known, where strangers only ask (docs/spec/contacts.md section 4). */
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { ContactRequestEvent, IncomingMessage } from '../events.ts';
import type { Transaction } from '../storage/ledger.ts';
import { type ContactRequest, isKnown, writeRequest } from './contact-records.ts';

/** The event of `message`: itself, or a request, which is also kept until it is answered. */
export function admitted(
  transaction: Transaction,
  me: DeviceId,
  message: IncomingMessage,
): IncomingMessage | ContactRequestEvent {
  const { from, device, id, type, acceptedAt } = message;
  if (from === accountOf(me) || isKnown(transaction, from)) return message;
  const text = type.startsWith('text/') ? textOf(message.body) : undefined;
  const request: ContactRequest = { from, device, id, type, at: acceptedAt, ...(text !== undefined && { text }) };
  writeRequest(transaction, request);
  return { kind: 'contact-request', ...request };
}

function textOf(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return undefined;
  }
}
