/**
 * The ways in which a genuine client may show who it is, each with all the checks that any LIME key server can be held to
 * (`interop/lime-peer/checks.mjs`). The HTTP is liblime's and libcurl's own.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { systemRandom } from '@sealwire/crypto/random';
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { checksOf, type Site } from '../../../../interop/lime-peer/checks.mjs';
import { type KeyDirectory, startKeyDirectory } from './key-directory.ts';
import type { Suite } from './suite.ts';
import type { World } from './world.ts';

/** What liblime 5.3 sends, what newer clients send, and both. */
const IDENTITY_HEADERS = ['From', 'X-Lime-user-identity', 'X-Lime-user-identity,From'];

/** How a device registers. */
type Register = (world: World, directory: KeyDirectory, command: Record<string, unknown>) => Promise<unknown>;

interface Door {
  readonly title: string;
  readonly settings: Parameters<typeof startKeyDirectory>[0];
  /** Of the LIME endpoint, from that of the directory. */
  readonly way?: (url: string) => Promise<Way>;
  readonly bareIds?: boolean;
  /** The devices are listed in manifests. */
  readonly knowsIdentities: boolean;
  readonly register: Register;
}

interface Way {
  readonly url: string;
  close(): Promise<void>;
}

const byToken =
  (header: string): Register =>
  async (world, directory, command) => {
    const device = command.device as DeviceId;
    const bearer = await directory.token(device);
    try {
      await world.registerListed(command, directory);
    } finally {
      // Of the device id, whoever uses it: a refused impostor must not leave the other one without.
      await world.peer.must({ cmd: 'set_http', device, http: 'curl', bearer, identity_header: header });
    }
  };

/** The devices are in no manifest: they wait (docs/adr/0008-linphone-devices.md), and are served like any other. */
const byAppPassword =
  (header: string): Register =>
  async (world, directory, command) => {
    const { user, password } = await directory.appPassword(command.device as DeviceId);
    const auth = { scheme: 'digest', user, password };
    await world.peer.must({ ...command, http: 'curl', auth, identity_header: header });
  };

const openly: Register = (world, _, command) => world.peer.must({ ...command, http: 'curl' });

const DOORS: readonly Door[] = [
  ...IDENTITY_HEADERS.map((header) => ({
    title: `a token, and ${header}`,
    settings: {},
    knowsIdentities: true,
    register: byToken(header),
  })),
  ...['From', 'X-Lime-user-identity'].map((header) => ({
    title: `Digest with SHA-256, and ${header}`,
    settings: {},
    knowsIdentities: false,
    register: byAppPassword(header),
  })),
  {
    title: 'Digest with MD5, of a client that knows nothing newer',
    settings: { DIGEST_MD5: 'on' },
    way: withoutSha256,
    knowsIdentities: false,
    register: byAppPassword('From'),
  },
  {
    title: 'no authentication, in open mode',
    settings: { OPEN_MODE: 'on' },
    knowsIdentities: false,
    register: openly,
  },
  {
    title: 'no authentication, at the root, with ids that are no GRUU',
    settings: { OPEN_MODE: 'on', LIME_PATH: '/' },
    bareIds: true,
    knowsIdentities: false,
    register: openly,
  },
];

export function doors({ curve, world, it }: Suite): void {
  describe.each(DOORS)('a server behind $title', ({ settings, way, bareIds = false, knowsIdentities, register }) => {
    let directory: KeyDirectory;
    let url: string;
    let between: Way | undefined;
    beforeAll(async () => {
      directory = await startKeyDirectory(settings);
      between = await way?.(directory.url);
      url = between?.url ?? directory.url;
    });
    afterAll(async () => {
      await between?.close();
      await directory.close();
    });

    // Its parts are looked up when they are used: the world opens after the tests were named.
    const site: Site = {
      get peer() {
        return world().peer;
      },
      get folder() {
        return world().folder;
      },
      get url() {
        return url;
      },
      domain: 'example.org',
      bareIds,
      run: Buffer.from(systemRandom(4)).toString('hex'),
      oneTimePrekeyLimit: LIMITS.prekeysPerDevice.value,
      knowsIdentities,
      register: (command) => register(world(), directory, command),
    };
    for (const { title, run } of checksOf(curve, site)) it(title, run);
  });
}

/** What a client sees that does not know SHA-256: libcurl does, and would take it. */
async function withoutSha256(url: string): Promise<Way> {
  const server = createServer(async (request, response) => {
    const { host: _, connection: __, ...headers } = request.headers;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const answer = await fetch(url, { method: 'POST', headers: headers as Record<string, string>, body });
    const offered = answer.headers.get('www-authenticate')?.split(/, (?=Digest|Bearer)/) ?? [];
    const left = offered.filter((challenge) => !challenge.includes('SHA-256'));
    response.writeHead(answer.status, {
      'content-type': answer.headers.get('content-type') ?? '',
      ...(left.length > 0 ? { 'www-authenticate': left } : {}),
    });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/lime`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
