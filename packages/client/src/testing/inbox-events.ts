/** Events for an inbox in a test's hands. */
import { parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import type { IncomingEvent, IncomingMessage } from '../events.ts';
import type { DurableEvent, Inbox } from '../messages/inbox.ts';
import type { Ledger } from '../storage/ledger.ts';

export const bob = parseAccountAddress('sip:bob@example.org');
export const phone = parseDeviceId(`${bob};gr=urn:uuid:1`);

export function message(text: string, type = 'text/plain'): IncomingMessage {
  return {
    kind: 'message',
    id: text,
    from: bob,
    device: phone,
    conversation: bob,
    type,
    body: new TextEncoder().encode(text),
    sentAt: 1,
    acceptedAt: 2,
    trust: 'untrusted',
  };
}

export async function put(ledger: Ledger, inbox: Inbox, ...events: DurableEvent[]): Promise<void> {
  const published = await ledger.commit((transaction) => events.map((event) => inbox.add(transaction, event)));
  for (const publish of published) publish();
}

/** Takes everything up to the end of the backlog. */
export async function readAll(inbox: Inbox): Promise<IncomingEvent[]> {
  const events: IncomingEvent[] = [];
  for await (const event of inbox.read({ untilCaughtUp: true })) events.push(event);
  return events;
}
