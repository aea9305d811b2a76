/** What a person reads of losses, order and forks: one line each, on stderr (docs/spec/chain.md). */
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it } from '@jest/globals';
import type { IncomingEvent } from '@sealwire/client/events';
import { parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { Output } from './output.ts';
import { showEvent } from './show-event.ts';
import { NO_GROUPS } from './testing/no-groups.ts';

const client = {
  address: parseAccountAddress('sip:alice@example.org'),
  inbox: { parked: () => [], retry: () => Promise.resolve() },
  groups: NO_GROUPS,
  receivedFiles: { keep: async () => undefined },
};
const to = parseAccountAddress('sip:bob@example.org');
const device = parseDeviceId(`${to};gr=urn:uuid:1`);
const about = { device, conversation: to };

async function shown(event: IncomingEvent, json = false): Promise<{ stdout: string; stderr: string }> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  await showEvent(new Output({ stdout, stderr, json, color: false }), event, client);
  stdout.end();
  stderr.end();
  return { stdout: await text(stdout), stderr: await text(stderr) };
}

it.each<[IncomingEvent, string]>([
  [{ kind: 'hole', ...about, first: 2, last: 2, told: 0 }, 'the server does not say why'],
  [{ kind: 'hole', ...about, first: 2, last: 4, told: 1 }, 'up to 3 messages'],
  [{ kind: 'hole', ...about, first: 2, last: 4, told: 3 }, 'as was said above'],
  [{ kind: 'hole', ...about, first: 2, last: 4, told: 0, restarted: true }, 'the session with it was broken'],
  [{ kind: 'session-restarted', device, code: 'duplicate', asked: true }, 'is begun, and what it wrote is asked for'],
  [{ kind: 'messages-gone', device, messages: 1 }, 'a message of'],
  [{ kind: 'sent-again', device, ids: ['a', 'b'], gone: 0 }, '2 messages of yours, which are sent again'],
  [{ kind: 'sent-again', device, ids: ['a'], gone: 2 }, 'sent again, and 2 messages that cannot be sent again'],
  [{ kind: 'sent-again', device, ids: [], gone: 1 }, 'could not read a message that cannot be sent again'],
  [
    {
      kind: 'message-refused',
      device,
      refusals: [
        { id: 'a', statusCode: 488 },
        { id: 'b', statusCode: 488 },
      ],
    },
    'cannot read 2 messages of yours: it does not have the encryption engine that made them',
  ],
  [
    { kind: 'message-refused', device, refusals: [{ id: 'a', statusCode: 500 }] },
    'cannot read a message of yours: its encryption engine answers 500',
  ],
  [{ kind: 'late', ...about, number: 2 }, 'changed the order'],
  [{ kind: 'fork', ...about, number: 2 }, 'there are two of'],
  [{ kind: 'fork', ...about, number: 2, seenBy: device }, 'in the name of this device'],
  [{ kind: 'not-arrived', to, device, ids: ['a', 'b'] }, '2 messages to bob did not arrive'],
  [{ kind: 'device-skipped', id: 'a', to, device, reason: 'no-keys', text: 'no keys\u001b' }, 'no keys\\u{1b}'],
  [{ kind: 'send-waits', id: 'a', to, code: 'no-keys', text: 'no keys yet' }, 'waits in the outbox: no keys yet'],
])('%j is one line', async (event, part) => {
  const { stdout, stderr } = await shown(event);
  expect(stdout).toBe('');
  expect(stderr).toContain(part);
  expect(stderr.match(/\n/g)).toHaveLength(1);
  expect(JSON.parse((await shown(event, true)).stdout)).toMatchObject({ event: event.kind });
});
