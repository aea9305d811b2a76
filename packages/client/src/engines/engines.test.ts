/** The choice among engines, and what becomes of their changes (docs/spec/client.md section 7). */
import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import type {
  DeviceKeys,
  EncryptionEngine,
  EngineContext,
  EngineResult,
  EngineSetup,
  ReceivedMessage,
} from './engine.ts';
import { chooseEngine } from './engine-choice.ts';
import { Engines } from './engines.ts';

const bob = parseAccountAddress('sip:bob@example.org');
const device = { id: parseDeviceId(`${bob};gr=urn:uuid:1`), identities: [] };
const draft = { recipientUser: bob, recipients: [device], copies: [], plaintext: Uint8Array.of(1) };
const received: ReceivedMessage = {
  sender: device,
  conversation: bob,
  recipientUser: bob,
  content: Uint8Array.of(2),
  cipherMessage: new Uint8Array(0),
};
const setup: EngineSetup = {
  device: parseDeviceId('sip:alice@example.org;gr=urn:uuid:1'),
  server: 'https://example.org',
  crypto: nodeCrypto(),
  random: systemRandom,
  now: () => 0,
};
const skipped: EngineResult<never> = { status: 'skipped' };
const error = (code: string): EngineResult<never> => ({ status: 'error', code, text: `it is ${code}` });

/** An engine that counts its calls in its records, and answers what it is told. */
function engine(
  id: string,
  answers: { gather?: EngineResult<unknown>[]; outgoing?: EngineResult<never>[]; incoming?: EngineResult<never> } = {},
) {
  const count = (
    name: string,
    transaction: { get(key: string): Uint8Array | undefined; set(key: string, value: Uint8Array): void },
  ) => transaction.set(name, Uint8Array.of((transaction.get(name)?.[0] ?? 0) + 1));
  const made: EncryptionEngine = {
    id,
    gather: async () => answers.gather?.shift() ?? { status: 'done', value: id },
    processOutgoing: (_draft, gathered, transaction) => {
      count('outgoing', transaction);
      return (
        answers.outgoing?.shift() ?? {
          status: 'done',
          value: { parts: [], cipherMessage: new TextEncoder().encode(`${gathered}`), unserved: [] },
        }
      );
    },
    processIncoming: (_message, transaction) => {
      count('incoming', transaction);
      return answers.incoming ?? { status: 'done', value: Uint8Array.of(7) };
    },
    sessions: {
      retireSession: (_device, transaction) => count('retire', transaction),
      forgetDevice: (_device, transaction) => count('forget', transaction),
    },
  };
  return made;
}

async function setUp(...engines: EncryptionEngine[]) {
  const ledger = await Ledger.open(new MemoryStorage());
  const context: EngineContext = {
    records: ledger,
    commit: (work) => ledger.commit(work),
    postToDirectory: async () => new Uint8Array(0),
    compareKeys: async () => [],
  };
  return {
    ledger,
    context,
    engines: new Engines(
      setup,
      engines.map((each) => () => each),
    ),
  };
}

/** Which engine counted which of its calls. */
const countsIn = (ledger: Ledger) =>
  ['one', 'two', 'three'].flatMap((id) => ledger.keys(`engine-${id}/`).map((key) => key.slice('engine-'.length)));

const store = (transaction: { set(key: string, value: Uint8Array): void }) =>
  transaction.set('outbox/0', Uint8Array.of(9));

describe('outgoing', () => {
  it('goes to the first engine that takes it, with what that engine gathered', async () => {
    const { engines, context, ledger } = await setUp(
      engine('one', { gather: [skipped] }),
      engine('two', { outgoing: [skipped] }),
      engine('three'),
    );
    const sealed = await engines.seal(draft, context, store);
    expect(sealed).toMatchObject({ engine: 'three', cipherMessage: new TextEncoder().encode('three') });
    expect(countsIn(ledger)).toEqual(['three/outgoing']);
    expect(ledger.get('outbox/0')).toEqual(Uint8Array.of(9));
  });

  it('is not sent when no engine takes it: nothing is never an engine', async () => {
    const { engines, context, ledger } = await setUp(engine('one', { gather: [skipped] }));
    await expect(engines.seal(draft, context, store)).rejects.toMatchObject({ code: 'no-engine' });
    expect(ledger.get('outbox/0')).toBeUndefined();
  });

  it('an error ends it; no other engine gets the message, and no change stays', async () => {
    const { engines, context, ledger } = await setUp(engine('one', { outgoing: [error('bad')] }), engine('two'));
    await expect(engines.seal(draft, context, store)).rejects.toMatchObject({ code: 'bad', message: 'it is bad' });
    expect([...countsIn(ledger), ...ledger.keys('outbox/')]).toEqual([]);
  });

  it('gathers again when another message used up what was gathered, but not for ever', async () => {
    const again = error('keys-missing');
    const once = await setUp(engine('one', { outgoing: [again] }));
    await once.engines.seal(draft, once.context, store);
    expect(once.ledger.get('engine-one/outgoing')).toEqual(Uint8Array.of(1));
    const always = await setUp(engine('one', { outgoing: [again, again, again] }));
    await expect(always.engines.seal(draft, always.context, store)).rejects.toMatchObject({ code: 'keys-missing' });
  });

  it('S21: when the outbox entry cannot be stored, the ratchet has not moved either', async () => {
    const { engines, context, ledger } = await setUp(engine('one'));
    const failing = () => {
      throw new Error('too large');
    };
    await expect(engines.seal(draft, context, failing)).rejects.toThrow('too large');
    expect(countsIn(ledger)).toEqual([]);
  });
});

describe('incoming', () => {
  it('goes to the engine that the envelope names', async () => {
    const { engines, ledger } = await setUp(engine('one'), engine('two'));
    const result = await ledger.commit((transaction) => engines.open('two', received, transaction));
    expect(result).toEqual({ status: 'done', value: Uint8Array.of(7) });
    expect(countsIn(ledger)).toEqual(['two/incoming']);
  });

  it('an error leaves no change of the engine, but the transaction goes on', async () => {
    const { engines, ledger } = await setUp(engine('one', { incoming: error('broken') }));
    await ledger.commit((transaction) => {
      expect(engines.open('one', received, transaction)).toMatchObject({ status: 'error', code: 'broken' });
      transaction.set('inbox/0', Uint8Array.of(1));
    });
    expect([...countsIn(ledger), ...ledger.keys('inbox/')]).toEqual(['inbox/0']);
  });

  it('an engine that is not here is an error with a code', async () => {
    const { engines, ledger } = await setUp(engine('one'));
    const result = await ledger.commit((transaction) => engines.open('none', received, transaction));
    expect(result).toMatchObject({ status: 'error', code: 'unknown-engine', statusCode: 488 });
  });
});

it('a device is forgotten by every engine', async () => {
  const { engines, ledger } = await setUp(engine('one'), engine('two'));
  await ledger.commit((transaction) => engines.forgetDevice(device.id, transaction));
  expect(countsIn(ledger)).toEqual(['one/forget', 'two/forget']);
});

describe('a choice', () => {
  const choose = (ledger: Ledger, id: string) => ledger.commit((transaction) => chooseEngine(transaction, bob, id));

  it('sends all of a conversation by that engine, whatever the order is', async () => {
    const { engines, context, ledger } = await setUp(engine('one'), engine('two'));
    await choose(ledger, 'two');
    expect(await engines.seal(draft, context, store)).toMatchObject({ engine: 'two' });
  });

  it('is kept to: what that engine skips goes to no other, and waits while it is not here', async () => {
    const { engines, context, ledger } = await setUp(engine('one'), engine('two', { outgoing: [skipped] }));
    await choose(ledger, 'two');
    await expect(engines.seal(draft, context, store)).rejects.toMatchObject({ code: 'no-engine', retryable: false });
    await choose(ledger, 'three');
    await expect(engines.seal(draft, context, store)).rejects.toMatchObject({
      code: 'engine-missing',
      retryable: true,
    });
    engines.register(() => engine('three'));
    expect(await engines.seal(draft, context, store)).toMatchObject({ engine: 'three' });
  });

  it('T125: is needed, on both sides, for an engine whose messages anybody could make', async () => {
    const { engines, context, ledger } = await setUp({ ...engine('one'), mustBeChosen: true });
    await expect(engines.seal(draft, context, store)).rejects.toMatchObject({ code: 'no-engine' });
    const open = () => ledger.commit((transaction) => engines.open('one', received, transaction));
    expect(await open()).toMatchObject({ status: 'error', code: 'engine-not-chosen', statusCode: 488 });
    await choose(ledger, 'one');
    expect(await engines.seal(draft, context, store)).toMatchObject({ engine: 'one' });
    expect(await open()).toMatchObject({ status: 'done' });
  });
});

describe('registration', () => {
  it.each(['One', '', 'a/b', 'x'.repeat(33)])('refuses %j as a name', async (id) => {
    const { engines } = await setUp();
    expect(() => engines.register(() => engine(id))).toThrow(expect.objectContaining({ code: 'engine-refused' }));
  });

  it('refuses a second engine of one name, and one that should have been there from the first day', async () => {
    const { engines } = await setUp(engine('one'));
    expect(() => engines.register(() => engine('one'))).toThrow('already');
    const keyed = { ...engine('two'), keys: {} as DeviceKeys };
    expect(() => engines.register(() => keyed)).toThrow('first day');
    expect(engines.ids).toEqual(['one']);
  });
});

it('an engine sees the records of its own alone, in a transaction and outside', async () => {
  const seen: string[][] = [];
  const nosy = (id: string): EncryptionEngine => ({
    ...engine(id),
    gather: async (_draft, { records }) => {
      seen.push(records.keys(''));
      return { status: 'done', value: undefined };
    },
    processIncoming: (_message, transaction) => {
      transaction.nested((inner) => inner.set('outbox/0', Uint8Array.of(1)));
      transaction.set('gone', Uint8Array.of(1));
      transaction.delete('gone');
      seen.push(transaction.keys('out'));
      return { status: 'done', value: transaction.get('outbox/0')! };
    },
  });
  const { engines, context, ledger } = await setUp(nosy('one'), nosy('two'));
  await ledger.commit((transaction) => engines.open('two', received, transaction));
  await engines.seal(draft, context, store);
  expect(seen).toEqual([['outbox/0'], []]);
  expect(ledger.keys('engine-two/')).toEqual(['engine-two/outbox/0']);
});
