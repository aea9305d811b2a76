/** Whom a message to a group is encrypted for, up to 300 devices, and into which frames (docs/spec/groups.md section 4). */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { decodeContent, decodeEnvelope, encodeContent } from '@sealwire/wire/envelope';
import { decodeClientFrame } from '@sealwire/wire/frame-codec';
import type { Send } from '@sealwire/wire/frames';
import { decodeGroupNews } from '@sealwire/wire/group-news';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { PeerBook } from '../accounts/peer-book.ts';
import { type PeerRecord, readPeer } from '../accounts/peer-record.ts';
import type { EngineContext, OutgoingDraft } from '../engines/engine.ts';
import type { Engines } from '../engines/engines.ts';
import { ClientError } from '../errors.ts';
import { IncomingChains } from '../messages/chain/incoming-chains.ts';
import { OutgoingChains } from '../messages/chain/outgoing-chains.ts';
import { decodeCpim } from '../messages/cpim-content.ts';
import { Inbox } from '../messages/inbox.ts';
import { MessageSealer } from '../messages/message-sealer.ts';
import { ALICE, BOB, deviceOf } from '../testing/chain-world.ts';
import { CAROLS_PHONE, Course, GroupWorld } from '../testing/group-world.ts';
import { GroupAudiences } from './group-audiences.ts';

const PART_BYTES = 4_900;
const ME = deviceOf('bob', 1);

let world: GroupWorld;
let course: Course;
/** What the engine was given last. */
let drafts: OutgoingDraft[];
/** Accounts that the directory does not know any more. */
let gone: AccountAddress[];

beforeEach(async () => {
  world = await GroupWorld.open(deviceOf('alice', 1));
  course = new Course(ALICE);
  course.bring(ALICE, BOB);
  drafts = [];
  gone = [];
});

/** The frames of a text of bob's to the group, through an engine whose parts are as large as any of LIME's. */
async function sealed(text = 'hello all'): Promise<Send[]> {
  const { ledger, store, outbox } = world;
  const crypto = nodeCrypto();
  const current = async (address: AccountAddress): Promise<PeerRecord> => {
    if (gone.includes(address)) throw new ClientError('unknown-account', 'there is none');
    return readPeer(ledger, address)!;
  };
  const book = {
    current,
    refresh: current,
    find: (address) => readPeer(ledger, address),
  } as Partial<PeerBook> as PeerBook;
  const inbox = new Inbox(ledger);
  const seal: Engines['seal'] = (draft, _, keep) => {
    drafts.push(draft);
    const parts = [...draft.recipients, ...draft.copies].map(({ id: device }) => ({
      device,
      content: new Uint8Array(PART_BYTES),
    }));
    const made = { engine: 'lime', parts, cipherMessage: new Uint8Array(1_000), unserved: [] };
    return ledger.commit((transaction) => {
      keep(transaction, made);
      return made;
    });
  };
  const sealer = new MessageSealer({
    outbox,
    book,
    engines: { seal } as Partial<Engines> as Engines,
    context: { records: ledger } as Partial<EngineContext> as EngineContext,
    heard: new IncomingChains(ledger, crypto, ME),
    written: new OutgoingChains(ledger, crypto, ME),
    groups: new GroupAudiences({ ledger, store, book, crypto, own: BOB, inbox }),
    me: ME,
    random: (length) => new Uint8Array(length),
  });
  const body = new TextEncoder().encode(text);
  const id = 'AAAAAAAAAAAAAAAAAAAAAA';
  await outbox.add(id, course.log.address, encodeContent({ type: 'text/plain', body, sentAt: 1, id }));
  const entry = (await sealer.seal(outbox.first(course.log.address)!, new Set()))!;
  return outbox.framesOf(entry).map((frame) => {
    expect(frame.length).toBeLessThanOrEqual(LIMITS.frameBytes.value);
    return decodeClientFrame(frame) as Send;
  });
}

const devicesIn = (frames: readonly Send[]) => frames.flatMap(({ parts }) => parts.map(({ device }) => device));

describe('a message to a group', () => {
  it('E09: of 300 devices goes out in frames of whole accounts, to each device once; the next one needs no introduction', async () => {
    const all: DeviceId[] = [];
    const accounts = Array.from({ length: 30 }, (_, n) => deviceOf(`m${n}`, 1));
    for (const first of accounts) {
      const others = Array.from({ length: 9 }, (_, n) => `${accountOf(first)};gr=urn:uuid:${n + 2}` as DeviceId);
      await world.knows(first, undefined, ...others);
      all.push(first, ...others);
    }
    course.bring(ALICE, ...accounts.map(accountOf));
    await world.tell(deviceOf('alice', 1), course);
    const frames = await sealed('x'.repeat(60_000));
    expect(devicesIn(frames).toSorted()).toEqual([deviceOf('alice', 1), ...all].toSorted());
    const frameOf = new Map<AccountAddress, Send>();
    for (const frame of frames)
      for (const { device } of frame.parts) {
        expect(frameOf.get(accountOf(device)) ?? frame).toBe(frame);
        frameOf.set(accountOf(device), frame);
      }
    expect(frames.length).toBeGreaterThan(10);
    for (const { body } of frames) expect(decodeEnvelope(body).recipientUser).toBe(course.log.address);
    const { link, group } = decodeContent(drafts[0]!.plaintext);
    expect(link?.newcomers).toHaveLength(301);
    expect(decodeGroupNews(group!).heads).toEqual(course.log.heads);
  });

  it('T159: is for nobody whom the server shows under another key than the log, nor for an account that is gone: told once', async () => {
    await world.knows(deviceOf('carol', 1), new Uint8Array(32).fill(9));
    await world.knows(deviceOf('dave', 1));
    course.bring(ALICE, accountOf(deviceOf('carol', 1)), accountOf(deviceOf('dave', 1)));
    await world.tell(deviceOf('alice', 1), course);
    gone = [accountOf(deviceOf('dave', 1))];
    expect(devicesIn(await sealed())).toEqual([deviceOf('alice', 1)]);
    const events = world.ledger.keys('inbox/').map((key) => new TextDecoder().decode(world.ledger.get(key)));
    expect(events.filter((event) => event.includes('member-skipped'))).toEqual([
      expect.stringContaining('account-key-differs'),
      expect.stringContaining('account-gone'),
    ]);
    expect(world.ledger.keys('unheard/')).toHaveLength(2);
  });

  it('is CPIM for all of them where one is a LIME device of somebody else, to the address of the group', async () => {
    await world.knows(CAROLS_PHONE);
    course.bring(ALICE, accountOf(CAROLS_PHONE));
    await world.tell(deviceOf('alice', 1), course);
    await sealed('hello phone');
    const [{ plaintext }] = drafts as [OutgoingDraft];
    const text = new TextDecoder().decode(plaintext);
    expect(text).toContain(`To: <${course.log.address}>`);
    expect(text).toContain('\r\n\r\nhello phone');
    expect(decodeCpim(plaintext).content.group).toBeDefined();
  });
});
