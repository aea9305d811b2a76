/** Our SDK and real Linphones in one room: what either makes, the other shows. */
import { expect } from '@jest/globals';
import type { Content } from '@sealwire/client/events';
import { type ChatMessage, writeChatMessage } from '@sealwire/cpim/chat-message';
import { IMDN_TYPE } from '@sealwire/cpim/imdn';
import { contentTypeOf } from '@sealwire/cpim/mime';
import { boundaryOf, readMultipart } from '@sealwire/cpim/multipart';
import { type ImdnNotice, readNotice, writeNotice } from '@sealwire/cpim/notice';
import { SdkMember } from './sdk-member.ts';
import type { Suite } from './suite.ts';

const SENT_AT = Date.UTC(2026, 10, 28, 12);
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Linphone puts several into one message. */
function noticesIn({ type, body }: ChatMessage): ImdnNotice[] {
  if (type === IMDN_TYPE) return [readNotice(body)];
  if (!type.startsWith('multipart/mixed')) return [];
  return readMultipart(body, boundaryOf(type))
    .filter((part) => contentTypeOf(part) === IMDN_TYPE)
    .map((part) => readNotice(part.body));
}

export function sdk({ world, it }: Suite): void {
  it('a message of the SDK is shown by every Linphone of the room, a Linphone’s is read by the SDK; notices, replies, reactions too', async () => {
    const [alice, bob] = [await world().person('alice'), await world().person('bob')];
    const [hers, his] = [await world().phone(alice), await world().phone(bob)];
    const members = [await world().identity(alice, hers), await world().identity(bob, his)];
    // So that carol's client knows that bob has a device of somebody else's.
    await bob.client.devices.admit(his.device, members[1]!.identities);
    const carol = await SdkMember.join(world(), 'carol');
    const room = await world().room(hers, [bob, carol.person], [his]);
    const write = (content: Content | string) => carol.write(room, bob, members, content);
    const writeChat = (message: Omit<ChatMessage, 'from' | 'to'>) =>
      write({ type: 'message/cpim', body: writeChatMessage({ from: carol.device, to: room.address, ...message }) });
    const read = () => carol.read(room, members);

    /** Resolves when both Linphones have said so. */
    const noticesOf = async (messageId: string, status: string) => {
      const missing = new Set([hers.device, his.device]);
      while (missing.size > 0) {
        const { sender, message } = await read();
        const isOne = noticesIn(message).some((notice) => notice.messageId === messageId && notice.status === status);
        if (isOne) missing.delete(sender);
      }
    };

    // First contact from the Linphone's side, on the keys that the SDK has at the directory.
    const id = await hers.says(room, 'hello both, grüße 😀');
    expect(await his.linphone.next('message')).toMatchObject({ id, text: 'hello both, grüße 😀' });
    const first = await read();
    expect(first).toMatchObject({ sender: hers.device, text: 'hello both, grüße 😀' });
    expect(first.message).toMatchObject({ id, type: 'text/plain', from: hers.device });

    for (const text of ['short', 'long '.repeat(500)]) {
      await write(text);
      for (const { linphone } of [hers, his])
        expect(await linphone.next('message')).toMatchObject({ from: carol.device, secured: true, text });
    }

    // Notices of a Linphone for what the SDK wrote ...
    const question = { sentAt: SENT_AT, id: 'question-1', requests: ['positive-delivery', 'display'] as const };
    await writeChat({ ...question, type: 'text/plain', body: utf8('did you get it?') });
    for (const { linphone } of [hers, his])
      expect(await linphone.next('message')).toMatchObject({ id: 'question-1', text: 'did you get it?' });
    await noticesOf('question-1', 'delivered');
    for (const { linphone } of [hers, his]) linphone.tell(`read ${room.name}`);
    await noticesOf('question-1', 'displayed');

    // ... and of the SDK for what a Linphone wrote: both have to have it on their screens before its writer is told.
    his.linphone.tell(`read ${room.name}`);
    const notice = writeNotice({ kind: 'display', status: 'displayed', messageId: id, sentAt: first.message.sentAt! });
    await writeChat({ type: IMDN_TYPE, body: notice });
    await hers.linphone.next('notice', { id, from: carol.person.address, state: 'Displayed' });
    await hers.linphone.next('sent', { id, state: 'Displayed' });

    await writeChat({ id: 'reaction-1', reactionTo: id, type: 'text/plain', body: utf8('👍') });
    expect(await hers.linphone.next('reaction')).toMatchObject({ id, text: '👍' });
    await writeChat({ id: 'reply-1', reply: { id, sender: hers.device }, type: 'text/plain', body: utf8('so do I') });
    expect(await hers.linphone.next('message')).toMatchObject({ id: 'reply-1', text: 'so do I', replyTo: id });

    const messageOf = async (type: string) => {
      for (;;) {
        const { message, text } = await read();
        if (message.type.startsWith(type)) return { ...message, text };
      }
    };
    hers.linphone.tell(`react ${room.name} 🎉`);
    expect(await messageOf('text/plain')).toMatchObject({ reactionTo: 'reply-1', text: '🎉' });
    hers.linphone.tell(`reply ${room.name} really?`);
    const reply = { id: 'reply-1', sender: carol.device };
    expect(await messageOf('text/plain')).toMatchObject({ reply, text: 'really?' });
    carol.close();
  });

  it('a message of the SDK that names another author is not shown', async () => {
    const [alice, bob] = [await world().person('alice'), await world().person('bob')];
    const [hers, his] = [await world().phone(alice), await world().phone(bob)];
    const members = [await world().identity(alice, hers), await world().identity(bob, his)];
    const carol = await SdkMember.join(world(), 'carol');
    const room = await world().room(hers, [bob, carol.person], [his]);
    const message = { from: his.device, to: room.address, type: 'text/plain', sentAt: SENT_AT };
    await carol.send(
      room,
      members,
      writeChatMessage({ ...message, id: 'forged', body: utf8('I owe carol a fortune') }),
    );
    await carol.send(
      room,
      members,
      writeChatMessage({ ...message, from: carol.device, id: 'true', body: utf8('he does') }),
    );
    expect(await hers.linphone.next('message')).toMatchObject({ id: 'true', text: 'he does' });
    carol.close();
  });
}
