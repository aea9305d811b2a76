/**
 * A recipient as a process of its own, to be killed: the SDK over a folder. What its application is shown goes to stdout, one text a
 * line. `recipient-main.ts FOLDER MODE [SERVER NAME]`; with server and name it registers first and ends.
 */
import { Client } from '@sealwire/client/client';
import { FolderStorage } from '@sealwire/client/node/folder-storage';
import { connectSocket } from '@sealwire/client/node/transport';
import type { ConnectSocket } from '@sealwire/client/runtime';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { decodeClientFrame, decodeServerFrame } from '@sealwire/wire/frame-codec';

/**
 * `hold-deliver`: stops at the moment when a message has arrived and nothing has looked at it. `hold-ack`: stops when it is stored, and
 * the acknowledgement is about to leave. It says so on stderr, and lives on until it is killed.
 */
export type RecipientMode = 'good' | 'hold-deliver' | 'hold-ack';

const [folder = '', mode = 'good', server, name] = process.argv.slice(2) as [string, RecipientMode, string?, string?];

const stopping: ConnectSocket = (url, subprotocol, handlers) => {
  const socket = connectSocket(url, subprotocol, {
    ...handlers,
    received(bytes) {
      if (mode === 'hold-deliver' && decodeServerFrame(bytes).kind === 'deliver') process.stderr.write('held\n');
      else handlers.received(bytes);
    },
  });
  return {
    send(bytes) {
      if (mode === 'hold-ack' && decodeClientFrame(bytes).kind === 'ack') process.stderr.write('held\n');
      else socket.send(bytes);
    },
    close: (code) => socket.close(code),
    drop: () => socket.drop(),
  };
};

const storage = FolderStorage.open(folder);
const runtime = { crypto: nodeCrypto(), random: systemRandom, now: Date.now, fetch, connectSocket: stopping };
if (server && name) {
  const client = await Client.register({ server, name, storage, runtime });
  await client.close();
} else {
  const client = await Client.open({ storage, runtime });
  void client.connect();
  for await (const event of client.messages({ untilCaughtUp: mode === 'good' }))
    if (event.kind === 'message') process.stdout.write(`${event.text}\n`);
  await client.close();
}
