// Finds, builds and drives linphone_peer, a real Linphone without a screen, and the SIP registrar that it needs (README.md).
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SET_UP = fileURLToPath(new URL('setup.sh', import.meta.url));
const KAMAILIO_CFG = fileURLToPath(new URL('kamailio.cfg', import.meta.url));
/** Fetches 100 MB the first time. */
const BUILD_MS = 600_000;
const QUIT_MS = 10_000;
const START_MS = 10_000;
const PATIENCE_MS = 30_000;
const LIBRARYS_PREFIX = /^Linphone(Registration|ChatRoomState|ChatMessageState)/;

/** The folder of both programs where it was built before, or with `LINPHONE_PEER=1`, which builds it; else why there is none. */
export function findLinphone() {
  const setUp = (...args) =>
    execFileSync(SET_UP, args, { encoding: 'utf8', timeout: BUILD_MS, stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  try {
    const path = setUp('--path');
    if (existsSync(path)) return { path };
    if (process.env.LINPHONE_PEER !== '1')
      return { missing: 'not built: interop/linphone/setup.sh or LINPHONE_PEER=1 builds it' };
    return { path: setUp() };
  } catch (error) {
    const reason = error.stderr?.trim().split('\n').at(-1) || error.message;
    return { missing: `not to be built: ${reason}` };
  }
}

/** Kamailio as SIP registrar and proxy of example.org, over TCP on a free port of the loopback. */
export class Registrar {
  #process;
  #ended;

  constructor(child, port) {
    this.#process = child;
    this.port = port;
    this.#ended = once(child, 'exit');
  }

  static async start(kit, folder) {
    mkdirSync(folder, { recursive: true });
    const port = await freePort();
    // -DD: it stays the child that we started, and ends its own ones with itself.
    const args = ['-f', KAMAILIO_CFG, '-l', `tcp:127.0.0.1:${port}`, '-DD', '-E', '-Y', folder, '-m', '32', '-M', '4'];
    const child = spawn(join(kit, 'kamailio'), args, { stdio: 'ignore' });
    const registrar = new Registrar(child, port);
    const deadline = Date.now() + START_MS;
    while (!(await accepts(port)))
      if (child.exitCode !== null || Date.now() > deadline) throw new Error('Kamailio did not start');
    return registrar;
  }

  async stop() {
    this.#process.kill('SIGTERM');
    await this.#ended;
  }
}

/** One Linphone of one person, or a conference server. */
export class Linphone {
  #process;
  #ended;
  #events = [];
  #changed = () => {};

  constructor(kit, settings) {
    const { folder, log } = settings;
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'linphonerc');
    writeFileSync(file, linphonerc(settings), { mode: 0o600 });
    const args = [file, join(kit, 'resources'), ...(settings.isFocus ? ['focus'] : [])];
    const env = { PATH: process.env.PATH, HOME: folder, ...(log && { LINPHONE_PEER_LOG: log }) };
    this.#process = spawn(join(kit, 'linphone_peer'), args, { env });
    this.#process.stderr.resume();
    this.#process.stdin.on('error', () => {});
    this.#ended = once(this.#process, 'exit');
    this.#ended.then(() => {
      this.#events.push({ event: 'ended' });
      this.#changed();
    });
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const { state, ...event } = JSON.parse(line);
      this.#events.push({ ...event, ...(state && { state: state.replace(LIBRARYS_PREFIX, '') }) });
      this.#changed();
    });
  }

  /** What it told of and nobody has asked for yet. */
  get events() {
    return [...this.#events];
  }

  tell(line) {
    this.#process.stdin.write(`${line}\n`);
  }

  /** The first event with these fields, now or later, and forgets it. Rejects when it does not come. */
  async next(event, fields = {}) {
    const wanted = Object.entries({ event, ...fields });
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const at = this.#events.findIndex((each) => wanted.every(([key, value]) => each[key] === value));
      if (at >= 0) return this.#events.splice(at, 1)[0];
      const left = deadline - Date.now();
      if (left <= 0 || this.#process.exitCode !== null || this.#process.signalCode)
        throw new Error(`no ${JSON.stringify({ event, ...fields })}; there was ${JSON.stringify(this.#events)}`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Asks it to end, and ends it if it does not. */
  async quit() {
    const impatience = setTimeout(() => this.#process.kill('SIGKILL'), QUIT_MS);
    this.tell('quit');
    this.#process.stdin.end();
    await this.#ended;
    clearTimeout(impatience);
  }
}

/** What a user of Linphone would set (docs/operations/linphone.md section 2), and what a machine without a network needs. */
function linphonerc({ folder, name, uuid, sipHost = '127.0.0.1', sipPort, lime }) {
  const route = `sip:${sipHost}:${sipPort};transport=tcp`;
  return sections({
    misc: { uuid, hide_empty_chat_rooms: 0 },
    sip: {
      auto_net_state_mon: 0,
      bind_address: '127.0.0.1',
      sip_port: 0,
      sip_tcp_port: -1,
      sip_tls_port: 0,
      use_ipv6: 0,
      default_proxy: 0,
    },
    lime: { enabled: lime ? 1 : 0, curve: lime?.curve ?? 'c25519', x3dh_db_path: join(folder, 'lime.sqlite') },
    storage: { uri: join(folder, 'linphone.sqlite') },
    proxy_0: {
      reg_proxy: `<${route}>`,
      reg_route: `<${route};lr>`,
      reg_identity: `sip:${name}@example.org`,
      reg_expires: 3600,
      reg_sendregister: 1,
      publish: 0,
      conference_factory_uri: 'sip:focus@example.org',
      ...(lime && { lime_server_url: lime.server }),
    },
    ...(lime && { auth_info_0: { username: name, realm: lime.realm, passwd: lime.password } }),
  });
}

function sections(byName) {
  return Object.entries(byName)
    .map(([name, values]) => {
      const lines = Object.entries(values).map(([key, value]) => `${key}=${value}\n`);
      return `[${name}]\n${lines.join('')}`;
    })
    .join('\n');
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => setTimeout(resolve, 20, false));
  });
}
