/** NATS with JetStream: a stream in files, each reader a consumer that acknowledges each message. */
import { spawnSync } from 'node:child_process';
import { join as path } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConsumerMessages, NatsConnection } from 'nats';
import type { Member } from '../traffic/member.ts';
import { contentOf, type Joining, plainTarget } from './plain-target.ts';
import { endProcess, freePort, isInstalled, untilItSays } from './processes.ts';
import { Absent, orAbsent, type Target } from './target.ts';

const STREAM = 'load';
/** Of all rounds together. */
const MOST_READERS = 1_000_000;
/** apps/load/src/peers and apps/load/dist/peers are as deep. */
const SETUP = fileURLToPath(new URL('../../../../interop/nats/setup.sh', import.meta.url));

export const JETSTREAM: Target = {
  name: 'jetstream',
  promise: {
    accepted: 'when the stream has written it to its file; fdatasync follows within two minutes',
    isDurable: false,
    isKept: true,
    isAuthenticated: false,
  },
  async start({ folder, startOther }) {
    const { AckPolicy, connect, DeliverPolicy, RetentionPolicy, StorageType } = await orAbsent(
      () => import('nats'),
      'npm install nats',
    );
    const program = ['nats-server', builtHere()].find((place) => isInstalled(place, '--version'));
    if (program === undefined) throw new Absent('not installed: interop/nats/setup.sh builds it');
    const port = await freePort();
    const child = startOther(program, ['-js', '-sd', path(folder, 'js'), '-a', '127.0.0.1', '-p', String(port)]);
    await untilItSays(child, 'nats-server', 'Server is ready');
    const servers = `127.0.0.1:${port}`;
    const own = await connect({ servers });
    const manager = await own.jetstreamManager();
    // What all its readers have acknowledged goes, as from a mailbox.
    await manager.streams.add({
      name: STREAM,
      subjects: [`${STREAM}.*`],
      retention: RetentionPolicy.Interest,
      storage: StorageType.File,
      // Newer servers allow a thousand unless told otherwise, and -1 is not told otherwise.
      max_consumers: MOST_READERS,
    });
    const join: Joining = (device, { topic, isWriter, writer, filling }, events) => {
      const subject = `${STREAM}.${topic}`;
      let connection: NatsConnection | undefined;
      let messages: ConsumerMessages | undefined;
      const read = async (from: ConsumerMessages) => {
        for await (const message of from) {
          events.received(writer, message.data);
          message.ack();
        }
      };
      const member: Member = {
        device,
        get isOnline() {
          return connection?.isClosed() === false;
        },
        async open() {
          connection = await connect({ servers, reconnect: false });
          if (isWriter) return;
          await manager.consumers.add(STREAM, {
            name: device,
            durable_name: device,
            filter_subject: subject,
            ack_policy: AckPolicy.Explicit,
            deliver_policy: DeliverPolicy.New,
          });
          messages = await (await connection.jetstream().consumers.get(STREAM, device)).consume();
          void read(messages);
        },
        send(number, header) {
          connection
            ?.jetstream()
            .publish(subject, contentOf(header, filling))
            // What is refused or not answered stays unaccepted, and is judged so.
            .then(
              () => events.accepted(number),
              () => {},
            );
        },
        async close() {
          await messages?.close();
          await connection?.close();
        },
      };
      return member;
    };
    return plainTarget({
      version: own.info?.version ?? 'unknown',
      pids: [child.pid!],
      join,
      async stop() {
        await own.close();
        await endProcess(child);
      },
    });
  },
};

function builtHere(): string {
  return String(spawnSync(SETUP, ['--path'], { encoding: 'utf8' }).stdout ?? '').trim();
}
