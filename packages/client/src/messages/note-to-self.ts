/** A note to self of the only device, which no server gets (docs/spec/client.md section 5). */
import type { Content } from '@sealwire/wire/envelope';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { IncomingMessage } from '../events.ts';
import { shownOf } from './cpim-content.ts';

/** The event by which it is shown, like what another device of ours wrote. `now`: when it was kept, ms. */
export function noteToSelf(id: string, me: DeviceId, content: Content, now: number): IncomingMessage {
  const own = accountOf(me);
  const { sentAt } = content;
  const message = { id, from: own, device: me, conversation: own, sentAt, acceptedAt: now };
  return { kind: 'message', ...message, ...shownOf(content, own), trust: 'trusted' };
}
