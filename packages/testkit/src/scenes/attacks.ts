/**
 * What a server of a scenario does that lies (docs/threat-model.md): the deployment is honest, and what stands between it and one person
 * is not. A verb of `server`; each goes on until `relents`.
 */
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import type { Deliver, ServerFrame } from '@sealwire/wire/frames';
import { accountOf, type DeviceId, nameOf, parseDeviceId } from '@sealwire/wire/ids';
import { decodeAnswer, encodeAnswer } from '@sealwire/wire/lime-server';
import type { Cast, Member } from './cast.ts';
import type { Verb } from './verbs.ts';

const crypto = nodeCrypto();
const withheld = new WeakMap<Member, Deliver[]>();
const oldLists = new WeakMap<Member, { readonly path: string; readonly text: string }>();

type Attack = (cast: Cast, victim: Member, ...words: string[]) => Promise<void> | void;

/** The first word after the verb is whom it is done to. */
function attack(attack: Attack): Verb {
  return async (cast, _server, victim, ...words) => void (await attack(cast, cast.member(victim!), ...words));
}

export const ATTACKS: Readonly<Record<string, Verb>> = {
  /** What was kept back comes with the next connection. */
  relents: attack((_cast, { network }) => {
    network.incoming = (frame) => frame;
    network.outgoing = (frame) => frame;
    network.intercept = (_request, ask) => ask();
    network.cut();
  }),

  /** "Your list of the other one's devices lacks this one": a device that its account never signed, or one of somebody else. */
  insists: attack((cast, { network }, of, stranger) => {
    const { device } = cast.member(stranger ?? of!).client;
    const missing = [stranger ? device : ghostOf(device)];
    network.outgoing = (frame) => {
      if (frame.kind !== 'send' || frame.parts.some((part) => part.device === missing[0])) return frame;
      queueMicrotask(() => network.inject({ ...mismatch(frame.id), missing, extra: [] }));
      return undefined;
    };
  }),

  /**
   * What `from` writes next comes in the name of another device of the same account, which is in no list. Not what was written before, and
   * may be delivered again.
   */
  renames: attack((cast, { network }, from) => {
    const { device } = cast.member(from!).client;
    let next: string | undefined;
    network.incoming = (frame) => {
      if (frame.kind !== 'deliver' || frame.sender !== device) return frame;
      const id = Buffer.from(frame.id).toString('hex');
      next ??= id;
      return id === next ? { ...frame, sender: ghostOf(device) } : frame;
    };
  }),

  /** "This device is gone." */
  buries: attack((cast, { network }, gone) => {
    const { device } = cast.member(gone!).client;
    network.outgoing = (frame) => {
      if (frame.kind !== 'send') return frame;
      if (!frame.parts.some((part) => part.device === device)) return { ...frame, allDevices: false };
      queueMicrotask(() => network.inject({ ...mismatch(frame.id), missing: [], extra: [device] }));
      return undefined;
    };
  }),

  /** Each device that is asked for has another identity key. */
  swaps: attack((_cast, { network }) => {
    network.intercept = async (request, ask) => {
      const answer = await ask();
      if (!request.url.endsWith('/lime')) return answer;
      const decoded = decodeAnswer(new Uint8Array(await answer.arrayBuffer()), 'c25519');
      if (decoded.kind !== 'peerBundle') throw new Error('unexpected request');
      const identityKey = crypto.ed25519.publicKey(systemRandom(32));
      const peers = decoded.peers.map(({ device, bundle }) => ({
        device,
        bundle: bundle && { ...bundle, identityKey },
      }));
      return new Response(encodeAnswer({ ...decoded, peers }));
    };
  }),

  /** The list of `of`'s devices, as it is now: to be shown later, or from now on. */
  remembers: attack((cast, victim, of) => remember(cast, victim, of!)),
  returns: attack((_cast, victim) => showOld(victim)),
  freezes: attack(async (cast, victim, of) => {
    await remember(cast, victim, of!);
    showOld(victim);
  }),

  /** "There is nobody of that name." */
  denies: attack((cast, { network }, whom) => {
    const path = `/directory/manifests/${nameOf(cast.member(whom!).client.address)}`;
    const nobody = JSON.stringify({
      type: 'about:blank',
      code: 'not-found',
      title: 'not found',
      status: 404,
      retryable: false,
    });
    network.intercept = async (request, ask) =>
      new URL(request.url).pathname === path ? new Response(nobody, { status: 404 }) : ask();
  }),

  /** Keeps back what others write: of `from`, or of all; released, it comes in the other order, and all of it twice. */
  withholds: attack((cast, victim, from) => {
    const sender = from && cast.member(from).client.device;
    const held: Deliver[] = [];
    withheld.set(victim, held);
    victim.network.incoming = (frame) => {
      if (frame.kind !== 'deliver' || (sender && frame.sender !== sender)) return frame;
      held.push(frame);
      return undefined;
    };
  }),
  shuffles: attack(async (_cast, victim, count) => {
    const held = withheld.get(victim)!;
    while (held.length < Number(count)) await new Promise((resolve) => setImmediate(resolve));
    victim.network.incoming = (frame) => frame;
    for (const frame of [...held.toReversed(), ...held]) victim.network.inject(frame);
  }),
};

async function remember(cast: Cast, victim: Member, of: string): Promise<void> {
  const { server, address } = cast.member(of).client;
  const path = `/directory/manifests/${nameOf(address)}`;
  oldLists.set(victim, { path, text: await (await fetch(server + path)).text() });
}

function showOld(victim: Member): void {
  const { path, text } = oldLists.get(victim)!;
  const headers = { 'content-type': 'application/json' };
  victim.network.intercept = async (request, ask) =>
    request.method === 'GET' && new URL(request.url).pathname === path ? new Response(text, { headers }) : ask();
}

function mismatch(id: Uint8Array) {
  const refusal = { kind: 'rejected', code: 'device-mismatch', text: '', retryable: true, retryAfterMs: 0, full: [] };
  return { ...refusal, id } as unknown as Extract<ServerFrame, { kind: 'rejected' }>;
}

function ghostOf(device: DeviceId): DeviceId {
  return parseDeviceId(`${accountOf(device)};gr=urn:uuid:00000000-0000-4000-8000-000000000000`);
}
