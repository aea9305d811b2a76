/**
 * A device as a process of its own against a server that means harm: `attacked-client.ts SERVER`. It registers, stays connected, and asks
 * for a list of devices again and again. It prints how many bytes of memory it holds, when it is registered and every 50 ms from then on.
 * Ends with its input.
 */
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { Client } from '../client.ts';
import { connectSocket } from '../node/transport.ts';
import { pause, platformTimers } from '../runtime.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';

const PAUSE_MS = 5;
const [server = ''] = process.argv.slice(2);
// Two bytes of zeros: no pause before the next link (connection/back-off.ts). What a server can do in an hour takes seconds.
const random = (length: number) => (length === 2 ? new Uint8Array(length) : systemRandom(length));
const runtime = { crypto: nodeCrypto(), random, now: Date.now, fetch, connectSocket };
const client = await Client.register({ server, name: 'alice', storage: new MemoryStorage(), runtime });
const report = () => process.stdout.write(`${process.memoryUsage.rss()}\n`);
report();
setInterval(report, 50).unref();
process.stdin.resume().once('end', () => process.exit());
void client.connect();
for (;;) {
  await client.trust.peer('bob').catch(() => undefined);
  await pause(platformTimers, PAUSE_MS);
}
