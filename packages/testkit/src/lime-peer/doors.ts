/**
 * The ways in which a genuine client may show who it is, each with all the checks that any LIME key server can be held to
 * (`interop/lime-peer/checks.mjs`). The HTTP is liblime's and libcurl's own.
 */
import { randomBytes } from 'node:crypto';
import { describe } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { checksOf, type Site } from '../../../../interop/lime-peer/checks.mjs';
import type { Suite } from './suite.ts';
import type { World } from './world.ts';

/** What liblime 5.3 sends, what newer clients send, and both. */
const IDENTITY_HEADERS = ['From', 'X-Lime-user-identity', 'X-Lime-user-identity,From'];

/** How a device registers. */
type Register = (world: World, command: Record<string, unknown>) => Promise<void>;

interface Door {
  readonly title: string;
  readonly knowsIdentities: boolean;
  readonly register: Register;
}

const DOORS: readonly Door[] = IDENTITY_HEADERS.map((header) => ({
  title: `a token, and ${header}`,
  knowsIdentities: true,
  register: async (world, command) => {
    const device = command.device as DeviceId;
    const bearer = await world.directory.token(device);
    try {
      await world.registerListed(command);
    } finally {
      // Of the device id, whoever uses it: a refused impostor must not leave the other one without.
      await world.peer.must({ cmd: 'set_http', device, http: 'curl', bearer, identity_header: header });
    }
  },
}));

export function doors({ curve, world, it }: Suite): void {
  describe.each(DOORS)('a server behind $title', ({ knowsIdentities, register }) => {
    for (const { title, run } of checksOf(curve, siteOf(world, { knowsIdentities, register }))) it(title, run);
  });
}

/** Its parts are looked up when they are used: the world opens after the tests were named. */
function siteOf(world: () => World, { knowsIdentities, register }: Omit<Door, 'title'>): Site {
  return {
    get peer() {
      return world().peer;
    },
    get folder() {
      return world().folder;
    },
    get url() {
      return world().directory.url;
    },
    domain: 'example.org',
    run: randomBytes(4).toString('hex'),
    oneTimePrekeyLimit: LIMITS.prekeysPerDevice.value,
    knowsIdentities,
    register: (command) => register(world(), command),
  };
}
