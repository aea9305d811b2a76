/**
 * What the hot path asks of a MongoDB-compatible server (docs/adr/0034): how many round trips a call takes, whatever it carries, and that
 * each of its questions is answered from its own index. `MONGODB_URI` names the server.
 */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { ALICE, BOB, deviceId, LIFE_MS, mail, NOW, nameAnew, people, ROOMY, upTo } from './contract/fixture.ts';
import { mongoAccounts } from './mongo/accounts.ts';
import { mongoMailboxes } from './mongo/mailboxes.ts';
import type { Mailboxes, MailboxLimits, PageBounds, Store } from './port.ts';
import { type Access, explained, type Watched, watch } from './testing/mongo-commands.ts';
import { emptyDatabase, testDatabase } from './testing/mongo-database.ts';

const url = testDatabase('hot-path');
const PAGE: PageBounds = { after: 0, messages: 100, bytes: 1 << 20, horizon: NOW - LIFE_MS };
const TIGHT: MailboxLimits = { ...ROOMY, messages: 200, whenFull: 'trim' };
const DEVICES = 40;

(url === undefined ? describe.skip : describe)('the hot path on MongoDB (skipped without MONGODB_URI)', () => {
  jest.setTimeout(60_000);
  let watched: Watched;
  let mailboxes: Mailboxes;
  let devices: DeviceId[];
  let nth: number;

  beforeEach(async () => {
    nameAnew();
    nth = 1;
    watched = await watch(url!);
    mailboxes = mongoMailboxes(watched.ground);
    devices = await people({ accounts: mongoAccounts(watched.ground) } as Store, ALICE, DEVICES);
    // What a mailbox is made of on its first message is not the hot path.
    await append(devices, ROOMY);
    watched.forget();
  });

  afterEach(async () => {
    await watched.close();
    await emptyDatabase(url!);
  });

  /** One message for each. */
  function append(to: readonly DeviceId[], limits: MailboxLimits) {
    return mailboxes.append(
      to.map((device) => mail(nth++, deviceId(BOB, (nth % 7) + 1), [device])),
      limits,
    );
  }

  const many = (count: number) => Array.from({ length: count }, (_, i) => devices[i % DEVICES]!);

  it.each([1, 40, 250])('an append of %i messages takes three round trips', async (count) => {
    for (const { status } of await append(many(count), ROOMY)) expect(status).toBe('accepted');
    expect(watched.commands()).toEqual(['update mailboxes', 'insert accepted', 'insert mails']);
  });

  it('a batch of repeats takes three round trips more, not some for each', async () => {
    const batch = many(120).map((device) => mail(nth++, deviceId(BOB, 1), [device]));
    await mailboxes.append(batch, ROOMY);
    watched.forget();
    for (const { status } of await mailboxes.append(batch, ROOMY)) expect(status).toBe('repeated');
    expect(watched.commands().sort()).toEqual(
      ['update mailboxes', 'insert accepted', 'find accepted', 'insert mails', 'find mails', 'find mailboxes'].sort(),
    );
  });

  it('two nodes that write to the same mailboxes in turn pay two round trips more for a batch, not some for each mailbox', async () => {
    const other = await watch(url!);
    try {
      const there = mongoMailboxes(other.ground);
      const one = () => devices.map((device) => mail(nth++, deviceId(BOB, 1), [device]));
      await there.append(one(), ROOMY);
      watched.forget();
      const results = await mailboxes.append(one(), ROOMY);
      expect(results.map(({ status }) => status)).toEqual(devices.map(() => 'accepted'));
      expect(watched.commands()).toEqual([
        'update mailboxes',
        'find mailboxes',
        'update mailboxes',
        'insert accepted',
        'insert mails',
      ]);
    } finally {
      await other.close();
    }
  });

  it('acknowledgements of all mailboxes take three round trips', async () => {
    await mailboxes.acknowledge(devices.map((device) => upTo(device, 1)));
    expect(watched.commands()).toEqual(['find mailboxes', 'update mailboxes', 'delete mails']);
  });

  it('a read takes one round trip when the mailbox is empty, and two for a page', async () => {
    const [device] = devices as [DeviceId];
    await append(Array(125).fill(device), ROOMY);
    watched.forget();
    expect((await mailboxes.read(device, PAGE)).mails).toHaveLength(100);
    expect(watched.commands()).toEqual(['find mailboxes', 'find mails']);
    watched.forget();
    await mailboxes.read(device, { ...PAGE, messages: 10 });
    const [, page] = watched.questions();
    // One more than fits tells that the page is not the last.
    expect(await watched.ground.documents.mails.countDocuments(page!.filter)).toBe(11);
    await mailboxes.acknowledge([upTo(device, 126)]);
    watched.forget();
    expect((await mailboxes.read(device, { ...PAGE, after: 126 })).mails).toHaveLength(0);
    expect(watched.commands()).toEqual(['find mailboxes']);
  });

  it('reads no more bodies than a page has room for, however deep the mailbox', async () => {
    const [phone] = devices as [DeviceId];
    await mailboxes.acknowledge([upTo(phone, 1)]);
    const size = 128 << 10;
    const sender = deviceId(BOB, 1);
    for (let batch = 0; batch < 10; batch++)
      await mailboxes.append(
        Array.from({ length: 40 }, () => mail(nth++, sender, [phone], { size })),
        ROOMY,
      );
    watched.forget();
    const { mails, end } = await mailboxes.read(phone, { ...PAGE, messages: 400, bytes: 3 * size });
    expect(mails.map(({ bytes }) => bytes.length)).toEqual([size, size, size]);
    expect(end).toBe(false);
    expect(watched.commands()).toEqual(['find mailboxes', 'find mails', 'find mails']);
    expect(watched.bodyBytes()).toBe(3 * size);
    // A small one takes the way that it took.
    await mailboxes.acknowledge([upTo(phone, mails.at(-1)!.seq + 395)]);
    watched.forget();
    expect((await mailboxes.read(phone, PAGE)).mails).toHaveLength(2);
    expect(watched.commands()).toEqual(['find mailboxes', 'find mails']);
    expect(watched.bodyBytes()).toBe(2 * size);
  });

  it('a flood into a full mailbox is carried in batches, and reads only what is new in it', async () => {
    const [device] = devices as [DeviceId];
    await append(Array(199).fill(device), ROOMY);
    await append([device], TIGHT);
    watched.forget();
    for (const { status } of await append(Array(50).fill(device), TIGHT)) expect(status).toBe('accepted');
    // Looked at, room made, placed: each once.
    expect(watched.commands().sort()).toEqual(
      [
        'find accepted',
        'find mailboxes',
        'find mails',
        'update mailboxes',
        'delete mails',
        'update mailboxes',
        'update mailboxes',
        'insert accepted',
        'insert mails',
      ].sort(),
    );
    const [look] = watched
      .questions()
      .filter(({ command, collection }) => command === 'find' && collection === 'mails');
    expect(await watched.ground.documents.mails.countDocuments(look!.filter)).toBeLessThanOrEqual(51);
    expect(await mailboxes.usage(device)).toMatchObject({ messages: 200 });
  });

  it('a sweep of expired messages takes a few round trips for many mailboxes at once', async () => {
    watched.forget();
    expect(await mailboxes.expire(NOW + LIFE_MS, 1_000)).toBe(DEVICES);
    const finds = watched.commands().filter((command) => command === 'find mailboxes').length;
    // One a mailbox, and one for each 32 of them.
    expect(finds).toBeLessThanOrEqual(DEVICES + 2);
  });

  it('every question of the hot path is answered from its own index, and looks at nothing in vain', async () => {
    const [device] = devices as [DeviceId];
    // So many that reading all of a collection would be dearer than its index.
    for (let i = 0; i < 4; i++) await append(many(500), ROOMY);
    watched.forget();
    const batch = many(10).map((one) => mail(nth++, deviceId(BOB, 1), [one]));
    await mailboxes.append(batch, ROOMY);
    await mailboxes.append(batch, ROOMY);
    await append(Array(5).fill(device), { ...TIGHT, messages: 40 });
    await mailboxes.read(device, { ...PAGE, after: 20 });
    await mailboxes.usage(device);
    await mailboxes.claimSession(device, 1);
    await mailboxes.acknowledge(devices.slice(0, 3).map((one) => ({ ...upTo(one, 2), session: 1 })));
    const questions = watched.questions();
    expect(new Set(questions.map(({ command, collection }) => `${command} ${collection}`))).toEqual(
      new Set([
        'find accepted',
        'find mailboxes',
        'find mails',
        'update mailboxes',
        'delete mails',
        'findAndModify mailboxes',
      ]),
    );
    for (const question of questions) expect(await judged(question)).toEqual([]);
  });

  it('the sweep finds expired messages by their time', async () => {
    for (let i = 0; i < 4; i++) await append(many(500), ROOMY);
    watched.forget();
    expect(await mailboxes.expire(NOW - LIFE_MS, 10)).toBe(0);
    const [question] = watched.questions();
    expect((await explained(watched.ground, question!)).map(({ index }) => index)).toEqual(['at_1']);
  });

  it('tells a question that no index answers', async () => {
    const question = { command: 'find', collection: 'mails', filter: { size: 1 }, rest: {} };
    expect(await judged(question)).not.toEqual([]);
  });

  /** What is wrong with how the question is answered. */
  async function judged(question: Parameters<typeof explained>[1]): Promise<Access[]> {
    const scans = await explained(watched.ground, question);
    const isFine = ({ index, isBounded, inVain = 0 }: Access) => index === '_id_' && isBounded && inVain <= 0;
    return scans.length === 0
      ? [{ index: 'none', isBounded: false, inVain: undefined }]
      : scans.filter((one) => !isFine(one));
  }
});
