/** When the directory is asked, and what the application hears (docs/spec/client.md section 8); the engine is in the test's hands. */
import { describe, expect, it } from '@jest/globals';
import type { EncryptionEngine, EngineContext, EngineSetup, KeysFinding } from '../engines/engine.ts';
import { Engines } from '../engines/engines.ts';
import { ClientError } from '../errors.ts';
import { Inbox } from '../messages/inbox.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { FakeTime, settle } from '../testing/fake-time.ts';
import { CHECK_AGAIN_MS, CHECK_EVERY_MS, CHECK_JITTER_MS, KeysCheck } from './keys-check.ts';

const LOST: KeysFinding = { suite: 'c25519', part: 'registration', mended: true };
const SWAPPED: KeysFinding = { suite: 'c448', part: 'identityKey', mended: false };
const MINUTE = 60_000;

/** `jitter`: the highest byte of what is drawn, 0 (none) to 255 (all of it). */
async function setUp({ storage = new MemoryStorage(), time = new FakeTime(), jitter = 0 } = {}) {
  const answers: (readonly KeysFinding[] | ClientError)[] = [];
  const asked: number[] = [];
  const checkKeys = async () => {
    asked.push(time.ms);
    const answer = answers.shift() ?? [];
    if (answer instanceof ClientError) throw answer;
    return answer;
  };
  const engine = { id: 'test', keys: { checkKeys } } as unknown as EncryptionEngine;
  const ledger = await Ledger.open(storage);
  const inbox = new Inbox(ledger);
  const traced: string[] = [];
  const check = new KeysCheck({
    ledger,
    inbox,
    engines: new Engines({} as EngineSetup, [() => engine]),
    context: {} as EngineContext,
    timers: time,
    random: (length) => new Uint8Array(length).fill(jitter),
    now: time.now,
    trace: (name, { code }) => traced.push(`${name} ${code}`),
  });
  const online = async () => {
    check.start();
    await check.done();
    await settle();
  };
  return { time, storage, check, inbox, answers, asked, traced, online };
}

describe('the look after the directory’s copy of the keys', () => {
  it('is a day after the registration, and then once a day', async () => {
    const { time, asked, online } = await setUp();
    const start = time.ms;
    await online();
    await time.pass(CHECK_EVERY_MS - 1);
    expect(asked).toEqual([]);
    await time.pass(3 * CHECK_EVERY_MS);
    expect(asked).toEqual([1, 2, 3].map((days) => start + days * CHECK_EVERY_MS));
  });

  it('waits up to ten minutes more, by lot', async () => {
    const { time, asked, online } = await setUp({ jitter: 255 });
    await online();
    const start = time.ms;
    await time.pass(CHECK_EVERY_MS + CHECK_JITTER_MS);
    expect(asked).toEqual([start + CHECK_EVERY_MS + CHECK_JITTER_MS]);
  });

  it('follows soon after an absence of more than a day, and a short one does not put it off', async () => {
    const { time, asked, check, online } = await setUp({ jitter: 128 });
    await online();
    check.stop();
    await time.pass(5 * CHECK_EVERY_MS);
    expect(asked).toEqual([]);
    await online();
    await time.pass(CHECK_JITTER_MS);
    expect(asked).toHaveLength(1);
    for (let hour = 0; hour < 25; hour += 1) {
      check.stop();
      await time.pass(30 * MINUTE);
      await online();
      await time.pass(30 * MINUTE);
    }
    expect(asked).toHaveLength(2);
  });

  it('remembers in its storage when it is due', async () => {
    const first = await setUp();
    await first.online();
    await first.time.pass(CHECK_EVERY_MS / 2);
    first.check.stop();
    const { asked, time, online } = await setUp({ storage: first.storage.copy(), time: first.time });
    await online();
    await time.pass(CHECK_EVERY_MS / 2);
    expect(asked).toHaveLength(1);
  });

  it('tells the application what was mended, and what is an alarm; both are there after a crash', async () => {
    const { time, answers, inbox, storage, online } = await setUp();
    answers.push([LOST, SWAPPED]);
    await online();
    await time.pass(CHECK_EVERY_MS);
    const events = [
      { kind: 'directory-keys', ...LOST },
      { kind: 'directory-keys', ...SWAPPED },
    ];
    const again = new Inbox(await Ledger.open(storage.copy()));
    for (const each of [again, inbox]) {
      const enough = new AbortController();
      const seen: unknown[] = [];
      for await (const event of each.read({ signal: enough.signal }))
        if (seen.push(event) === events.length) enough.abort();
      expect(seen).toEqual(events);
    }
  });

  it('never loops: an alarm that stays is told once a day, a failure is tried again in an hour or, if it will not pass, in a day', async () => {
    const { time, answers, asked, traced, online } = await setUp();
    const start = time.ms;
    answers.push([SWAPPED], [SWAPPED], new ClientError('unreachable', 'gone'), new ClientError('conflict', 'no'), []);
    await online();
    await time.pass(5 * CHECK_EVERY_MS);
    expect(asked.map((at) => (at - start) / CHECK_AGAIN_MS)).toEqual([24, 48, 72, 73, 97]);
    expect(traced).toEqual(['keys-check-failed unreachable', 'keys-check-failed conflict']);
  });

  it('a clock that is set back does not put it off: who is never online for a day checks, too', async () => {
    const { time, asked, check, online } = await setUp();
    await online();
    check.stop();
    time.ms -= 400 * CHECK_EVERY_MS;
    await online();
    await time.pass(CHECK_JITTER_MS);
    expect(asked).toHaveLength(1);
  });

  it('on demand: at once, and a failure is the caller’s to hear', async () => {
    const { answers, asked, check } = await setUp();
    answers.push([LOST], new ClientError('unreachable', 'gone'));
    expect(await check.run()).toEqual([LOST]);
    await expect(check.run()).rejects.toMatchObject({ code: 'unreachable' });
    expect(asked).toHaveLength(2);
  });
});
