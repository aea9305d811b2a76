/** The choice among engines, and what becomes of their changes (docs/spec/client.md section 7). */
import { describe, expect, it } from '@jest/globals';
import { parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import type { EncryptionEngine, EngineContext, EngineResult, ReceivedMessage } from './engine.ts';
import { Engines } from './engines.ts';

const bob = parseAccountAddress('sip:bob@example.org');
const device = { id: parseDeviceId(`${bob};gr=urn:uuid:1`), identities: [] };
const draft = { recipientUser: bob, recipients: [device], copies: [], plaintext: Uint8Array.of(1) };
const received: ReceivedMessage = {
  sender: device,
  recipientUser: bob,
  content: Uint8Array.of(2),
  cipherMessage: new Uint8Array(0),
};
const skipped: EngineResult<never> = { status: 'skipped' };
const error = (code: string): EngineResult<never> => ({ status: 'error', code, text: `it is ${code}` });

/** An engine that counts its calls in the records, and answers what it is told. */
function engine(
  id: string,
  answers: { gather?: EngineResult<unknown>[]; outgoing?: EngineResult<never>[]; incoming?: EngineResult<never> } = {},
) {
  const count = (
    name: string,
    transaction: { get(key: string): Uint8Array | undefined; set(key: string, value: Uint8Array): void },
  ) => transaction.set(`test/${id} ${name}`, Uint8Array.of((transaction.get(`test/${id} ${name}`)?.[0] ?? 0) + 1));
  const made: EncryptionEngine = {
    id,
    createDevice: () => [],
    publish: async () => undefined,
    upkeep: async () => undefined,
    checkKeys: async () => [],
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
    retireSession: (_device, transaction) => count('retire', transaction),
    forgetDevice: (_device, transaction) => count('forget', transaction),
    files: undefined as never,
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
  return { ledger, context, engines: new Engines(engines) };
}

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
    expect(ledger.keys('test/')).toEqual(['test/three outgoing']);
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
    expect([...ledger.keys('test/'), ...ledger.keys('outbox/')]).toEqual([]);
  });

  it('gathers again when another message used up what was gathered, but not for ever', async () => {
    const again = error('keys-missing');
    const once = await setUp(engine('one', { outgoing: [again] }));
    await once.engines.seal(draft, once.context, store);
    expect(once.ledger.get('test/one outgoing')).toEqual(Uint8Array.of(1));
    const always = await setUp(engine('one', { outgoing: [again, again, again] }));
    await expect(always.engines.seal(draft, always.context, store)).rejects.toMatchObject({ code: 'keys-missing' });
  });

  it('S21: when the outbox entry cannot be stored, the ratchet has not moved either', async () => {
    const { engines, context, ledger } = await setUp(engine('one'));
    const failing = () => {
      throw new Error('too large');
    };
    await expect(engines.seal(draft, context, failing)).rejects.toThrow('too large');
    expect(ledger.keys('test/')).toEqual([]);
  });
});

describe('incoming', () => {
  it('goes to the engine that the envelope names', async () => {
    const { engines, ledger } = await setUp(engine('one'), engine('two'));
    const result = await ledger.commit((transaction) => engines.open('two', received, transaction));
    expect(result).toEqual({ status: 'done', value: Uint8Array.of(7) });
    expect(ledger.keys('test/')).toEqual(['test/two incoming']);
  });

  it('an error leaves no change of the engine, but the transaction goes on', async () => {
    const { engines, ledger } = await setUp(engine('one', { incoming: error('broken') }));
    await ledger.commit((transaction) => {
      expect(engines.open('one', received, transaction)).toMatchObject({ status: 'error', code: 'broken' });
      transaction.set('inbox/0', Uint8Array.of(1));
    });
    expect([...ledger.keys('test/'), ...ledger.keys('inbox/')]).toEqual(['inbox/0']);
  });

  it('an engine that is not here is an error with a code', async () => {
    const { engines, ledger } = await setUp(engine('one'));
    const result = await ledger.commit((transaction) => engines.open('none', received, transaction));
    expect(result).toMatchObject({ status: 'error', code: 'unknown-engine' });
  });
});

it('a device is forgotten by every engine', async () => {
  const { engines, ledger } = await setUp(engine('one'), engine('two'));
  await ledger.commit((transaction) => engines.forgetDevice(device.id, transaction));
  expect(ledger.keys('test/')).toEqual(['test/one forget', 'test/two forget']);
});
