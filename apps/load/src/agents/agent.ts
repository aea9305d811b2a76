/** One machine of several: lets in who has the secret, one controller at a time, and runs workers for it. Its workers end with the connection. */
import type { AddressInfo } from 'node:net';
import type { ClientRuntime } from '@sealwire/client/runtime';
import { type WebSocket, WebSocketServer } from 'ws';
import { LoadError } from '../errors.ts';
import { perform } from '../running/orders.ts';
import type { Hand, Saying } from '../running/share.ts';
import { errorText } from '../showing/error-text.ts';
import { Channel, MOST_FRAME_BYTES } from './channel.ts';
import { AGENT_FORMAT, channelKeys, type Hello, isProof, newNonce, Proof, proofOf } from './handshake.ts';
import { ToAgent, type ToController } from './messages.ts';

/** For the proof: a stranger's socket does not stay. */
const PROOF_WITHIN_MS = 5_000;
/** Strangers at a time. */
const MOST_STRANGERS = 16;

export interface AgentTerms {
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
  readonly secret: Uint8Array;
  readonly version: string;
  readonly runtime: Pick<ClientRuntime, 'random'>;
  readonly now: () => number;
  readonly openHand: (isForked: boolean, say: (saying: Saying) => void) => Hand;
  /** A line for the person at this machine. */
  readonly note: (text: string) => void;
  /** A controller is gone, and its workers are ended. */
  readonly served?: (() => void) | undefined;
}

export interface Agent {
  /** As `127.0.0.1:7300`. */
  readonly address: string;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** Rejects with a `LoadError` when nobody can listen there. */
export async function startAgent(terms: AgentTerms): Promise<Agent> {
  const { host, port, note } = terms;
  const server = new WebSocketServer({ host, port, maxPayload: MOST_FRAME_BYTES, perMessageDeflate: false });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new LoadError('usage', `nobody can listen at ${host}:${port} (${cause.code}): choose another --listen`, {
          cause,
        }),
      ),
    );
  });
  const state = { strangers: 0, isBusy: false };
  server.on('connection', (socket, request) => {
    const from = request.socket.remoteAddress ?? 'somewhere';
    socket.on('error', () => undefined);
    if (state.strangers >= MOST_STRANGERS) return socket.terminate();
    state.strangers += 1;
    prove(socket, terms, state)
      .then((keys) => {
        note(`a controller from ${from}`);
        serve(socket, keys, terms, () => {
          state.isBusy = false;
          note(`the controller from ${from} is gone`);
          terms.served?.();
        });
      })
      .catch((error: unknown) => {
        note(`${from} is not let in: ${errorText(error)}`);
        socket.terminate();
      })
      .finally(() => {
        state.strangers -= 1;
      });
  });
  const { address, family, port: actual } = server.address() as AddressInfo;
  return {
    address: `${family === 'IPv6' ? `[${address}]` : address}:${actual}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of server.clients) socket.terminate();
        server.close(() => resolve());
      }),
  };
}

/** Resolves with the keys of a controller that proved the secret; it is the one that is served from then on. */
async function prove(socket: WebSocket, { runtime, version, secret }: AgentTerms, state: { isBusy: boolean }) {
  const agent = newNonce(runtime.random);
  socket.send(JSON.stringify({ format: AGENT_FORMAT, version, nonce: agent } satisfies Hello));
  const answer = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no proof of the secret came')), PROOF_WITHIN_MS);
    const over = (settle: () => void) => () => {
      clearTimeout(timer);
      settle();
    };
    socket.once('message', (data, isBinary) => over(() => resolve(isBinary ? '' : String(data)))());
    socket.once(
      'close',
      over(() => reject(new Error('it went away'))),
    );
  });
  const { nonce: controller, proof } = Proof.parse(parsed(answer));
  const nonces = { agent, controller };
  if (!isProof(proof, 'controller', secret, nonces)) throw new Error('it has another secret');
  if (state.isBusy) {
    socket.close(4_001, 'another controller is served');
    throw new Error('another controller is served');
  }
  state.isBusy = true;
  socket.send(JSON.stringify({ proof: proofOf('agent', secret, nonces) }));
  return channelKeys(secret, nonces);
}

function serve(socket: WebSocket, keys: ReturnType<typeof channelKeys>, terms: AgentTerms, gone: () => void): void {
  const hands = new Map<number, Hand>();
  const tell = (message: ToController) => channel.send(message);
  const channel: Channel = new Channel(socket, {
    sendKey: keys.agent,
    receiveKey: keys.controller,
    now: terms.now,
    received(message) {
      const said = ToAgent.parse(message);
      if (said.kind === 'clock') return tell({ kind: 'clock', at: terms.now() });
      const { worker } = said;
      if (said.kind === 'open') {
        const say = (answer: Saying) => tell({ kind: 'answer', worker, answer });
        return void hands.set(worker, terms.openHand(said.isForked, say));
      }
      const hand = hands.get(worker);
      const { order } = said;
      if (!hand) throw new Error(`worker ${worker} was never opened`);
      if (order.order === 'stop') return hand.stop();
      perform(hand, order).then(
        (result) => tell({ kind: 'answer', worker, answer: { say: 'done', result } }),
        (error: unknown) => tell({ kind: 'answer', worker, answer: { say: 'failed', message: errorText(error) } }),
      );
    },
    closed() {
      for (const hand of hands.values()) {
        hand.stop();
        hand.end();
      }
      gone();
    },
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it does not speak as a controller');
  }
}
