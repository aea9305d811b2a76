/** mosquitto, as Debian has it: MQTT 3.1.1, quality of service 1 both ways, sessions that are kept. */
import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join as path } from 'node:path';
import type { MqttClient } from 'mqtt';
import type { Member } from '../traffic/member.ts';
import { contentOf, type Joining, plainTarget } from './plain-target.ts';
import { endProcess, freePort, isInstalled, untilItSays } from './processes.ts';
import { Absent, orAbsent, type Target } from './target.ts';

/** Debian has it where only root's PATH looks. */
const PLACES = ['mosquitto', '/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'];
const QUALITY = { qos: 1 } as const;

export const MOSQUITTO: Target = {
  name: 'mosquitto',
  promise: {
    accepted: 'when the broker has it in memory (PUBACK); what it keeps is written down each half an hour',
    isDurable: false,
    isKept: true,
    isAuthenticated: false,
  },
  async start({ folder, startOther }) {
    const { connectAsync } = await orAbsent(() => import('mqtt'), 'npm install mqtt');
    const program = PLACES.find((place) => isInstalled(place, '-h'));
    if (program === undefined) throw new Absent('not installed: apt-get install mosquitto');
    const port = await freePort();
    const file = path(folder, 'mosquitto.conf');
    const lines = [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'persistence true',
      `persistence_location ${folder}/`,
      'max_queued_messages 0',
      'set_tcp_nodelay true',
      'log_dest stderr',
      // Else it would leave root, to whom the folder belongs.
      `user ${userInfo().username}`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const child = startOther(program, ['-c', file]);
    const said = await untilItSays(child, 'mosquitto', ' running');
    const join: Joining = (device, { topic, isWriter, writer, filling }, events) => {
      let client: MqttClient | undefined;
      const member: Member = {
        device,
        get isOnline() {
          return client?.connected === true;
        },
        async open() {
          client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
            clientId: device,
            clean: false,
            reconnectPeriod: 0,
          });
          if (isWriter) return;
          client.on('message', (_topic, content) => events.received(writer, content));
          await client.subscribeAsync(topic, QUALITY);
        },
        send(number, header) {
          client?.publish(topic, contentOf(header, filling), QUALITY, (error) => {
            if (!error) events.accepted(number);
          });
        },
        async close() {
          await client?.endAsync();
        },
      };
      return member;
    };
    return plainTarget({
      version: /mosquitto version (\S+)/.exec(said)?.[1] ?? 'unknown',
      pids: [child.pid!],
      join,
      stop: () => endProcess(child),
    });
  },
};
