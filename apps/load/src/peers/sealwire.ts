/** Ours: a server that is there, or the whole of one as `npm start` runs it, in a folder that is removed afterwards. */
import type { LightIdentity } from '@sealwire/light/account';
import type { LightDevice } from '@sealwire/light/device';
import { IdentityFolder } from '../identities/identity-folder.ts';
import { type Provided, provide } from '../identities/provide.ts';
import { wellKnownOf } from '../running/deployment.ts';
import type { Surroundings } from '../surroundings.ts';
import { connectAll } from '../traffic/connecting.ts';
import { socketOf } from '../traffic/idling.ts';
import { LightMember } from '../traffic/light-member.ts';
import { LIME_PART_BYTES } from '../traffic/talking.ts';
import { endProcess, freePort, untilItSays } from './processes.ts';
import type { Running, Starting, Target } from './target.ts';

/** What an account is allowed is not what a comparison is about. */
const WITHOUT_LIMITS = [
  'accounts-per-address',
  'logins-per-address',
  'logins-per-device',
  'messages-per-pair',
  'messages-per-recipient',
  'bytes-per-sender',
  'manifest-writes-per-address',
].flatMap((name) => [`--${name}`, '0']);

export interface SealwireTerms extends Pick<Surroundings, 'runtime' | 'now'> {
  /** Undefined: one is started. */
  readonly origin: string | undefined;
  /** Of the processes behind `origin`. */
  readonly pids: readonly number[];
  /** Where accounts of `origin` are kept. */
  readonly identities: string;
  readonly invitations: readonly string[];
  readonly note: (text: string) => void;
  readonly warn: (text: string) => void;
}

export function sealwire(terms: SealwireTerms): Target {
  return {
    name: 'sealwire',
    promise: {
      accepted: 'after a durable write for all its readers, one for all that wait',
      isDurable: true,
      isKept: true,
      isAuthenticated: true,
    },
    async start(starting) {
      if (terms.origin !== undefined)
        return runningAt(terms.origin, terms.pids, terms.identities, async () => {}, terms);
      const { origin, pids, stop } = await startSolo(starting);
      // Its accounts go with it: nobody needs to know where they are.
      return runningAt(origin, pids, starting.folder, stop, { ...terms, note: () => {} });
    },
  };
}

async function startSolo({ folder, startProgram }: Starting) {
  const port = await freePort();
  const argv = ['--listen', `127.0.0.1:${port}`, '--data-dir', `${folder}/data`, ...WITHOUT_LIMITS];
  const child = startProgram('solo', argv);
  await untilItSays(child, 'the server', 'Sealwire listens');
  return { origin: `http://localhost:${port}`, pids: [child.pid!], stop: () => endProcess(child) };
}

async function runningAt(
  server: string,
  pids: readonly number[],
  identities: string,
  stop: () => Promise<void>,
  terms: SealwireTerms,
): Promise<Running> {
  const { runtime } = terms;
  const folder = new IdentityFolder(identities, server);
  const wellKnown = await wellKnownOf(server, terms);
  const here = { server, relay: new URL(wellKnown.relay, server.replace(/^http/, 'ws')).href };
  const part = runtime.random(LIME_PART_BYTES);
  const idle: LightDevice[] = [];
  let provided: Pick<Provided, 'people' | 'idle'> = { people: [], idle: [] };
  return {
    version: wellKnown.version,
    pids,
    async provide(people, stay) {
      provided = await provide({ people, idle: stay, sdk: 0 }, { ...terms, server, folder, made: () => {} });
    },
    membersOf({ first, members, filling }, scene) {
      const identities = provided.people.slice(first, first + members);
      return identities.map((identity: LightIdentity) => {
        const others = identities.flatMap(({ id }) => (id === identity.id ? [] : [id]));
        return {
          device: identity.id,
          make: (events) => new LightMember({ identity, others, filling, part }, { ...scene, ...here }, events),
        };
      });
    },
    connect: (members, scene) =>
      connectAll(
        scene,
        members.flatMap((member) => (member instanceof LightMember ? [member.link] : [])),
      ),
    async idle(count, scene) {
      const more = provided.idle
        .slice(idle.length, idle.length + count)
        .map((identity) => socketOf(identity, { ...scene, ...here }));
      idle.push(...more);
      await connectAll(scene, more);
    },
    async stop() {
      for (const device of idle) device.end();
      await stop();
    },
  };
}
