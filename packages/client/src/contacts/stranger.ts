/** What becomes of a message of somebody who is not known, where strangers only ask (docs/spec/contacts.md section 4). */
import { isGroupAddress } from '@sealwire/wire/group-address';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { DurableEvent } from '../messages/inbox.ts';
import type { Transaction } from '../storage/ledger.ts';
import { type ContactRequest, isKnown, writeRequest } from './contact-records.ts';

/** What is shown of `event`: itself, or, of a stranger's message to us, a request, which is also kept until it is answered. */
export function admitted(transaction: Transaction, me: DeviceId, event: DurableEvent): DurableEvent {
  if (event.kind !== 'message' || isGroupAddress(event.conversation)) return event;
  const { from, device, id, type, acceptedAt } = event;
  if (from === accountOf(me) || isKnown(transaction, from)) return event;
  const text = type.startsWith('text/') ? textOf(event.body) : undefined;
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
