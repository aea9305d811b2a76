// The story of the demo: three people on both curves, one of them away for a while, a server that is killed, an answer that is lost;
// and in the end a search of everything the server has on disk for what was said.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startCuttingProxy } from './cutting-proxy.mjs';
import { search } from './plaintext-search.mjs';
import { endAll, freePort, person, startServer } from './processes.mjs';
import { chapter, check, DemoError, tell } from './transcript.mjs';

/** Everything that anybody says: none of it may be found on the server. */
const SAID = {
  hello: 'Hello Bob, shall we meet at the lighthouse?',
  answer: 'Gladly, Alice: at eight, by the small door.',
  toCarol: 'Carol, your keys live on the other curve and I can still write to you.',
  fromCarol: 'Goldilocks here: I read you well.',
  bobToCarol: 'Bob to Carol, over Curve448.',
  whileAway: ['First thing while you sleep.', 'Second thing while you sleep.', 'Third thing while you sleep.'],
  beforeKill: 'The server holds this one and is about to die.',
  duringKill: 'I write this while nothing is running.',
  afterKill: 'And everything goes on as if nothing had happened.',
  lostAnswer: 'You will see this exactly once.',
  waiting: 'This one lies on the server while its disk is searched.',
};
const ALL_SAID = Object.values(SAID).flat();

/** Plays the story; resolves with the exit code. Whatever happens, nothing is left running and nothing on the disk. */
export async function play() {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-demo-'));
  const cleanUp = async () => {
    await endAll();
    rmSync(folder, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => cleanUp().then(() => process.exit(130)));
  try {
    await story(folder);
    process.stdout.write('\nEverything held.\n');
    return 0;
  } catch (error) {
    process.stdout.write(`   FAILED  ${error instanceof DemoError ? error.message : error.stack}\n`);
    return 1;
  } finally {
    await cleanUp();
  }
}

async function story(folder) {
  const port = await freePort();
  const proxy = await startCuttingProxy(port);
  const publicOrigin = `http://localhost:${proxy.port}`;
  const data = join(folder, 'server');
  const runServer = () => startServer({ port, folder: data, publicOrigin });
  const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => person(name, folder, publicOrigin));

  chapter('A server starts on an empty folder; three people register');
  let server = await runServer();
  tell(`process ${server.pid}, port ${port}, with a proxy in front that can lose answers`);
  await registers(alice, 'Curve25519 and Curve448');
  await registers(bob, 'Curve25519 and Curve448');
  await registers(carol, 'Curve448 only', '--curve', 'c448');

  chapter('Alice and Bob talk, each in a terminal of their own');
  const aliceChat = alice.open('chat', '-t', 'bob');
  const bobChat = bob.open('chat', '-t', 'alice');
  await says(aliceChat, SAID.hello, alice, bobChat);
  await says(bobChat, SAID.answer, bob, aliceChat);
  check((await aliceChat.hangUp()) === 0 && (await bobChat.hangUp()) === 0, 'both hang up with nothing left to send');

  chapter('Everybody with Carol, whose keys are on the other curve');
  await sends(alice, 'carol', SAID.toCarol);
  await sends(bob, 'carol', SAID.bobToCarol);
  await reads(carol, [`alice: ${SAID.toCarol}`, `bob: ${SAID.bobToCarol}`]);
  await sends(carol, 'alice', SAID.fromCarol);
  await reads(alice, [`carol: ${SAID.fromCarol}`]);

  chapter('Bob is away; Alice writes; Bob comes back');
  for (const text of SAID.whileAway) await sends(alice, 'bob', text);
  await reads(
    bob,
    SAID.whileAway.map((text) => `alice: ${text}`),
  );
  await reads(bob, []);

  chapter('The server is killed with kill -9 in the middle, and started again');
  await sends(alice, 'bob', SAID.beforeKill);
  const writing = alice.open('chat', '-t', 'bob', '--wait', '20');
  await writing.opened();
  await server.kill();
  tell(`kill -9 ${server.pid}`);
  const second = await alice.run('whoami');
  check(second.code === 5, 'a second process of Alice does not touch her keys (exit code 5)', describe(second));
  writing.type(SAID.duringKill);
  const sendsAtRestart = proxy.sends.length;
  server = await runServer();
  tell(`started again: process ${server.pid}`);
  writing.type(SAID.afterKill);
  check((await writing.hangUp()) === 0, 'what Alice wrote meanwhile has been accepted');
  await reads(bob, [`alice: ${SAID.beforeKill}`, `alice: ${SAID.duringKill}`, `alice: ${SAID.afterKill}`]);

  chapter('An answer is lost: Alice cannot know whether her message arrived, and sends it again');
  const sendsBefore = proxy.sends.length;
  const cut = proxy.loseNextAnswer();
  await sends(alice, 'bob', SAID.lostAnswer);
  await cut;
  const frames = proxy.sends.slice(sendsBefore);
  check(
    frames.length === 2 && frames[0] === frames[1],
    'the very same frame went over the wire twice',
    frames.join('\n'),
  );
  const wired = proxy.sends.length - sendsAtRestart;
  check(await relayCounts(server, wired), `the relay counts ${wired} since its restart, as many as went over the wire`);
  await reads(bob, [`alice: ${SAID.lostAnswer}`]);

  chapter('A message waits for Carol, and the disk of the server is searched for what was said');
  await sends(alice, 'carol', SAID.waiting);
  await server.kill();
  const names = search(data, ['sip:alice@localhost', 'sip:carol@localhost']).found;
  check(names.length > 0, `the search finds what must be there: ${names[0]?.text} in ${names[0]?.file}`);
  const { found, files, bytesRead } = search(data, ALL_SAID);
  const claim = `none of ${ALL_SAID.length} sentences in ${files} files, ${bytesRead} bytes (UTF-8, UTF-16, hex, base64)`;
  check(found.length === 0, claim, JSON.stringify(found));
  server = await runServer();
  await reads(carol, [`alice: ${SAID.waiting}`]);
  await server.stop();
  await proxy.close();
}

async function registers({ name, run }, curves, ...options) {
  const result = await run('register', '-u', name, ...options);
  check(result.code === 0, `${name} registers, with keys on ${curves}`, describe(result));
}

async function says(chat, text, { name }, otherChat) {
  chat.type(text);
  await otherChat.shows(`${name}: ${text}`);
  check(otherChat.count(`${name}: ${text}`) === 1, `${name}: ${text}`);
}

async function sends({ name, run }, to, text) {
  const result = await run('send', '-t', to, '-m', text, '--wait', '20');
  check(result.code === 0, `${name} → ${to}: ${text}`, describe(result));
}

/** Reads all that waits: exactly `lines`, in that order. */
async function reads({ name, run }, lines) {
  const result = await run('listen', '--until-caught-up');
  const printed = result.stdout.split('\n').filter(Boolean);
  const asExpected = printed.length === lines.length && printed.every((line, index) => line === lines[index]);
  const claim = lines.length ? `${name} reads, in order and once: ${lines.join(' | ')}` : `${name} reads nothing twice`;
  check(result.code === 0 && asExpected, claim, describe(result));
}

/** Whether the relay's counter of messages reaches `expected`; it is refreshed once a second. */
async function relayCounts(server, expected) {
  for (let attempt = 0; attempt < 30; attempt++) {
    const metrics = await (await fetch(`${server.origin}/metrics`)).text();
    const line = metrics
      .split('\n')
      .find((text) => text.startsWith('sealwire_relay_frames_received_total{type="send"}'));
    if (Number(line?.split(' ').at(-1)) === expected) return true;
    await pause(100);
  }
  return false;
}

function describe({ code, stdout, stderr }) {
  return `exit code ${code}\n${stdout}${stderr}`;
}
