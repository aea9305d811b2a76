/** Linphones that talk with each other, with our directory as their LIME server. */
import { expect } from '@jest/globals';
import type { Suite } from './suite.ts';

export function conversations({ world, it }: Suite): void {
  it('two of them talk both ways, encrypted, with delivered and displayed notices, a reaction and a reply', async () => {
    const [alice, bob] = [await world().person('alice'), await world().person('bob')];
    const [hers, his] = [await world().phone(alice), await world().phone(bob)];
    const room = await world().room(hers, [bob], [his]);

    const id = await hers.says(room, 'hello bob, grüße 😀');
    const message = { id, from: hers.device, secured: true, type: 'text/plain', text: 'hello bob, grüße 😀' };
    expect(await his.linphone.next('message')).toMatchObject(message);
    await hers.linphone.next('sent', { id, state: 'DeliveredToUser' });
    his.linphone.tell(`read ${room.name}`);
    await hers.linphone.next('sent', { id, state: 'Displayed' });

    his.linphone.tell(`react ${room.name} 👍`);
    expect(await hers.linphone.next('reaction')).toMatchObject({ id, text: '👍' });
    const answer = await his.says(room, 'hello alice');
    const answered = { id: answer, from: his.device, secured: true, text: 'hello alice' };
    expect(await hers.linphone.next('message')).toMatchObject(answered);
    hers.linphone.tell(`reply ${room.name} which one?`);
    expect(await his.linphone.next('message')).toMatchObject({ secured: true, text: 'which one?', replyTo: answer });
  });

  it('a group of three: each reads what each writes, and the writer sees the notices of both', async () => {
    const people = [await world().person('alice'), await world().person('bob'), await world().person('carol')];
    const phones = [];
    for (const person of people) phones.push(await world().phone(person));
    const room = await world().room(phones[0]!, people.slice(1), phones.slice(1));
    for (const writer of phones) {
      const text = `written by ${writer.device}`;
      const id = await writer.says(room, text);
      for (const reader of phones.filter((phone) => phone !== writer)) {
        const message = { id, from: writer.device, secured: true, text };
        expect(await reader.linphone.next('message')).toMatchObject(message);
        reader.linphone.tell(`read ${room.name}`);
      }
      await writer.linphone.next('sent', { id, state: 'Displayed' });
    }
  });

  it('a third device: both of one person read what others write, and each what the other one writes', async () => {
    const [alice, bob] = [await world().person('alice'), await world().person('bob')];
    const hers = await world().phone(alice);
    const his = [await world().phone(bob), await world().phone(bob)];
    const room = await world().room(hers, [bob], his);
    const all = [hers, ...his];
    for (const writer of all) {
      const text = `from ${writer.device}`;
      const id = await writer.says(room, text);
      for (const reader of all.filter((phone) => phone !== writer))
        expect(await reader.linphone.next('message')).toMatchObject({ id, from: writer.device, secured: true, text });
    }
  });
}
