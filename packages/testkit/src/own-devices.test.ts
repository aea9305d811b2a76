/** What one device of an account knows of the others, and what a note to self becomes (docs/spec/client.md sections 4 and 5). */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Company } from './company.ts';
import { afterCrash, type Person, take, takeTexts } from './person.ts';

const company = new Company();
let phone: Person;
let bob: Person;

beforeEach(async () => {
  phone = await company.person('alice');
  bob = await company.person('bob');
});

describe('a device that joined', () => {
  beforeEach(async () => {
    await (await phone.client.send('bob', 'from one device')).accepted;
    await takeTexts(bob.client, 1);
  });

  it('is known to the others at once: the next message is copied to it at the first attempt', async () => {
    const laptop = await company.anotherDevice(phone);
    await knows(phone, 2);
    await (await phone.client.send('bob', 'from one of two')).accepted;
    expect(await take(laptop.client, 'message', 1)).toMatchObject([
      { text: 'from one of two', from: phone.client.address, conversation: bob.client.address },
    ]);
    expect(phone.network.framesReceived('rejected')).toEqual([]);
  });

  it('gets a copy of the next message though the hint was lost', async () => {
    phone.network.incoming = (frame) => (frame.kind === 'manifest-published' ? undefined : frame);
    const laptop = await company.anotherDevice(phone);
    await (await phone.client.send('bob', 'from one of two')).accepted;
    expect(await takeTexts(laptop.client, 1)).toEqual(['from one of two']);
    expect(phone.network.framesReceived('rejected')).toMatchObject([{ missing: [laptop.client.device] }]);
  });

  it('of which no hint told is known to another one on its next connection', async () => {
    phone.network.incoming = (frame) => (frame.kind === 'manifest-published' ? undefined : frame);
    const laptop = await company.anotherDevice(phone);
    phone.network.cut();
    await knows(phone, 2);
    await (await phone.client.send('bob', 'from one of two')).accepted;
    expect(await takeTexts(laptop.client, 1)).toEqual(['from one of two']);
  });

  it('a hint makes nobody believe anything, and one of a version that is known asks nobody', async () => {
    let asked = 0;
    phone.network.intercept = (request, ask) => {
      if (request.url.endsWith('/manifests/alice')) asked += 1;
      return ask();
    };
    phone.network.inject({ kind: 'manifest-published', version: 1 });
    phone.network.inject({ kind: 'manifest-published', version: 7 });
    await (await phone.client.send('bob', 'still here')).accepted;
    while (asked === 0) await turn();
    expect(asked).toBe(1);
    expect(phone.client.trust.peers().find(({ address }) => address === phone.client.address)).toMatchObject({
      manifestVersion: 1,
    });
  });
});

describe('a note to self', () => {
  const note = (from: Person) => ({
    kind: 'message',
    text: 'milk',
    from: phone.client.address,
    device: from.client.device,
    conversation: phone.client.address,
  });

  it('of the only device is kept, and shown like any message', async () => {
    const { id, accepted } = await phone.client.send('alice', 'milk');
    await accepted;
    const again = await afterCrash(phone);
    company.people.push(again);
    expect(await take(again.client, 'message', 1)).toMatchObject([{ ...note(phone), id }]);
    expect(phone.network.framesSent('send')).toEqual([]);
  });

  it('of one of two devices reaches the other one, and is not shown twice', async () => {
    const laptop = await company.anotherDevice(phone);
    await knows(phone, 2);
    await (await phone.client.send('alice', 'milk')).accepted;
    expect(await take(laptop.client, 'message', 1)).toMatchObject([note(phone)]);
    await (await bob.client.send('alice', 'the next one')).accepted;
    expect(await takeTexts(phone.client, 1)).toEqual(['the next one']);
  });

  it('reaches a device of which no hint told', async () => {
    phone.network.incoming = (frame) => (frame.kind === 'manifest-published' ? undefined : frame);
    const laptop = await company.anotherDevice(phone);
    await (await phone.client.send('alice', 'milk')).accepted;
    expect(await take(laptop.client, 'message', 1)).toMatchObject([note(phone)]);
  });
});

async function knows(person: Person, devices: number): Promise<void> {
  const own = () => person.client.trust.peers().find(({ address }) => address === person.client.address);
  while (own()?.devices.length !== devices) await turn();
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
