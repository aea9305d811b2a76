/** Where an order goes: to the server that runs here, over its socket; into the store, where none runs; or to an address, by a token. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { offlineAdminCommands } from '@sealwire/api/admin';
import { ADMIN_SOCKET, adminSocketOf } from '@sealwire/api/settings';
import { joinRegions, openBus } from '@sealwire/bus/open';
import { AdminRefusal, adminSocketIn, callAdminSocket } from '@sealwire/service/admin-socket';
import { openOrExplain } from '@sealwire/service/boot';
import { aboutOf, ConfigError, setting } from '@sealwire/service/config';
import { problemOf } from '@sealwire/service/problem';
import { BUS_PEERS, SERVER_SETTINGS } from '@sealwire/service/settings';
import { openStore } from '@sealwire/store/open';
import { z } from 'zod';

const ANSWER_WITHIN_MS = 30_000;

export const adminSettings = z.object({
  ADMIN_URL: setting(z.url({ protocol: /^https?$/, error: 'not an http(s) URL' }).optional(), {
    about: 'The `ADMIN_LISTEN` of a server elsewhere.',
    example: 'https://chat.example.org:8090',
  }),
  ADMIN_TOKEN: setting(z.string().min(1).optional(), {
    about: 'The token for it, as `sealwire-admin tokens make` shows it.',
    secret: true,
    example: './admin.token',
  }),
  ADMIN_SOCKET,
  STORE_URL: setting(z.string().min(1).optional(), { about: aboutOf(SERVER_SETTINGS.STORE_URL).about, alsoFile: true }),
  DATA_DIR: setting(z.string().min(1), { about: 'The folder of `npm start`.', default: './data' }),
  BUS_URL: SERVER_SETTINGS.BUS_URL,
  BUS_PEERS,
  DOMAIN: setting(SERVER_SETTINGS.DOMAIN, { about: 'The domain of the accounts.', default: 'localhost' }),
});

type AdminSettings = z.output<typeof adminSettings>;

/** The server was not reached. */
export class Unreached extends ConfigError {}

/** What the server answers. Throws `AdminRefusal`, `Unreached`, `ConfigError`. */
export async function order(settings: AdminSettings, path: string, body: object, now: () => number): Promise<unknown> {
  const { ADMIN_URL: url, ADMIN_TOKEN: token, ADMIN_SOCKET: socket, DATA_DIR: folder } = settings;
  if (url !== undefined) return askAddress(url, token, path, body);
  const storeUrl = settings.STORE_URL ?? `lmdb:${join(folder, 'store')}`;
  const sockets = socket ? [socket] : [adminSocketIn(folder), adminSocketOf({ ...settings, STORE_URL: storeUrl })];
  for (const one of sockets) {
    const answer = one && (await callAdminSocket(one, path, body));
    if (answer !== undefined && answer !== '') return answer;
  }
  return orderInStore(settings, storeUrl, path, body, now);
}

async function orderInStore(settings: AdminSettings, url: string, path: string, body: object, now: () => number) {
  const folder = /^lmdb:(.+)$/.exec(url)?.[1];
  if (folder !== undefined && !existsSync(join(folder, 'data.mdb')))
    throw new ConfigError(
      'DATA_DIR',
      `no server runs here, and there is no store in ${folder}`,
      'name its DATA_DIR, STORE_URL or ADMIN_URL',
    );
  const store = await openOrExplain('STORE_URL', () => openStore(url));
  try {
    const { BUS_URL: busUrl, BUS_PEERS: peers } = settings;
    const own = await openOrExplain('BUS_URL', () => openBus(busUrl));
    const bus = await openOrExplain('BUS_PEERS', () => joinRegions(own, busUrl, peers));
    try {
      const commands = offlineAdminCommands(store, { now, domain: settings.DOMAIN, bus });
      return await commands[path]!(body, { via: 'socket' });
    } finally {
      await bus.close();
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code, message, details } = problemOf(error);
    if (code === 'internal') throw error;
    const [fault] = details.errors ?? [];
    throw new AdminRefusal(url, details.detail ?? (fault ? `${fault.pointer}: ${fault.detail}` : message), code);
  } finally {
    await store.close();
  }
}

async function askAddress(url: string, token: string | undefined, path: string, body: object): Promise<unknown> {
  if (token === undefined)
    throw new ConfigError('ADMIN_TOKEN', 'is not set', 'set ADMIN_TOKEN_FILE to a file that holds the token');
  const base = url.replace(/\/+$/, '');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const asked = { method: 'POST', headers, body: JSON.stringify(body), redirect: 'error' } as const;
  const response = await fetch(`${base}${path}`, { ...asked, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }).catch(
    () => {
      throw new Unreached(
        'ADMIN_URL',
        `${base} does not answer`,
        'look whether it runs, and whether that is its ADMIN_LISTEN',
      );
    },
  );
  const answer = (await response.json().catch(() => {
    throw new Unreached('ADMIN_URL', `${base} answers no JSON`, 'look whether that is the ADMIN_LISTEN of a server');
  })) as { title?: string; detail?: string; code?: string };
  if (response.status === 200) return answer;
  throw new AdminRefusal(base, answer.detail ?? answer.title ?? `status ${response.status}`, answer.code ?? 'internal');
}
