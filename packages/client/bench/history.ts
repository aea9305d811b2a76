/**
 * A history of 100,000 messages in 20 conversations in a sealed folder, against one of 1,000: opening, the newest page, a page in the middle,
 * the list, a search through everything, and memory. `npm run bench:history -w packages/client`, in two processes each: one fills, one reads.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { type AccountAddress, parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { History } from '../src/history/history.ts';
import { FolderStorage } from '../src/node/folder-storage.ts';
import { platformTimers } from '../src/runtime.ts';
import { Ledger } from '../src/storage/ledger.ts';
import { SealedStorage } from '../src/storage/sealed-storage.ts';

const COUNTS = [1_000, 100_000];
const CONVERSATIONS = 20;
const AT_ONCE = 32;
const WORDS = 'the quick brown fox jumps over a lazy dog while Zürich sleeps and nobody answers before noon'.split(' ');
const key = new Uint8Array(32).fill(7);
const me = parseDeviceId('sip:alice@example.org;gr=urn:uuid:00000000-0000-4000-8000-000000000001');
const peers = Array.from({ length: CONVERSATIONS }, (_, n) => parseAccountAddress(`sip:peer${n}@example.org`));

async function open(folder: string): Promise<{ ledger: Ledger; history: History }> {
  const crypto = nodeCrypto();
  const ledger = await Ledger.open(new SealedStorage(FolderStorage.open(folder), key, crypto, systemRandom));
  const addressOf = (name: string) => name as AccountAddress;
  const failed = (code: string) => console.error(code);
  const tools = { random: systemRandom, floe: crypto, now: Date.now, timers: platformTimers };
  return {
    ledger,
    history: new History({ ledger, me, addressOf, others: (conversation) => [conversation], failed, ...tools }),
  };
}

function messageOf(n: number) {
  const from = peers[n % CONVERSATIONS]!;
  const text = Array.from({ length: 12 }, (_, i) => WORDS[(n * 7 + i * i) % WORDS.length]).join(' ');
  const device = parseDeviceId(`${from};gr=urn:uuid:00000000-0000-4000-8000-000000000001`);
  const about = { id: `id-of-a-message-${n}`, from, device, conversation: from, sentAt: n, acceptedAt: n } as const;
  const body = new TextEncoder().encode(n === 5 ? `${text} needle` : text);
  return { kind: 'message', ...about, type: 'text/plain', body, trust: 'untrusted' } as const;
}

async function fill(folder: string, count: number): Promise<void> {
  const { ledger, history } = await open(folder);
  await history.configure({ on: true });
  const begin = performance.now();
  for (let n = 0; n < count; n += AT_ONCE) {
    const publish = await ledger.commit((transaction) =>
      Array.from({ length: Math.min(AT_ONCE, count - n) }, (_, i) =>
        history.recorder.arrived(transaction, messageOf(n + i)),
      ),
    );
    for (const each of publish) each();
  }
  await history.close();
  say('taken in, ms a message', (performance.now() - begin) / count);
  await ledger.close();
  say('file, MB', statSync(join(folder, 'records.lmdb')).size / 2 ** 20);
}

async function read(folder: string): Promise<void> {
  global.gc!();
  const before = process.memoryUsage().heapUsed;
  const opened = await timed('open, ms', () => open(folder));
  const { history } = opened;
  global.gc!();
  say('heap after opening, MB', (process.memoryUsage().heapUsed - before) / 2 ** 20);
  const { next } = await timed('newest page of 50, ms', () => history.page(peers[0]!));
  await timed('next page of 50, ms', () => history.page(peers[0]!, { before: next! }));
  await timed('list of conversations, ms', () => history.conversations());
  await timed('search, found at once, ms', () => history.search('ZURICH fox'));
  const found = await timed('search through everything, ms', () => history.search('needle'));
  if (found.messages.length !== 1) throw new Error('the needle was not found');
  global.gc!();
  say('heap after all of that, MB', (process.memoryUsage().heapUsed - before) / 2 ** 20);
  await history.close();
  await opened.ledger.close();
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const begin = performance.now();
  const answer = await work();
  say(what, performance.now() - begin);
  return answer;
}

const say = (what: string, number: number) => console.log(`${what.padEnd(36)}${number.toFixed(2).padStart(10)}`);

const [step, folder, count] = process.argv.slice(2);
if (step === 'fill') await fill(folder!, Number(count));
else if (step === 'read') await read(folder!);
else
  for (const messages of COUNTS) {
    console.log(`\n${messages} messages`);
    const parent = mkdtempSync(join(tmpdir(), 'sealwire-history-'));
    for (const each of ['fill', 'read']) {
      const args = [...process.execArgv, '--expose-gc', fileURLToPath(import.meta.url), each, join(parent, 'device')];
      execFileSync(process.execPath, [...args, String(messages)], { stdio: 'inherit' });
    }
    rmSync(parent, { recursive: true });
  }
