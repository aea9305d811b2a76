/** An agent as its controller sees it: a clock, and workers. When it is gone everything that waits for it fails. */
import type { ClientRuntime } from '@sealwire/client/runtime';
import { WebSocket } from 'ws';
import { LoadError } from '../errors.ts';
import type { Records } from '../oracle/across.ts';
import type { Verdict } from '../oracle/oracle.ts';
import type { Answer, Order } from '../running/orders.ts';
import type { Hand, Saying, Share, Strain } from '../running/share.ts';
import { errorText } from '../showing/error-text.ts';
import { Channel, MOST_FRAME_BYTES } from './channel.ts';
import { type ClockEstimate, estimateOffset, type RoundTrip } from './clock.ts';
import { AGENT_FORMAT, channelKeys, Hello, isProof, newNonce, type Proof, proofOf, Welcome } from './handshake.ts';
import { type ToAgent, ToController } from './messages.ts';

const CONNECT_WITHIN_MS = 10_000;
const ROUND_TRIPS = 25;

export interface RemoteAgentTerms {
  /** As `10.0.0.5:7300`. */
  readonly address: string;
  readonly secret: Uint8Array;
  readonly version: string;
  readonly runtime: Pick<ClientRuntime, 'random'>;
  /** ms since 1970, and never backwards. */
  readonly now: () => number;
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class RemoteAgent {
  readonly address: string;
  readonly #now: () => number;
  readonly #channel: Channel;
  readonly #workers = new Map<number, { readonly say: (saying: Saying) => void; waiting?: Waiting | undefined }>();
  #clock: Waiting | undefined;
  #estimate: ClockEstimate = { offsetMs: 0, errorMs: 0 };
  #gone: LoadError | undefined;
  #isClosed = false;

  private constructor(
    socket: WebSocket,
    keys: ReturnType<typeof channelKeys>,
    { address, now }: RemoteAgentTerms,
    lost: () => void,
  ) {
    this.address = address;
    this.#now = now;
    this.#channel = new Channel(socket, {
      sendKey: keys.controller,
      receiveKey: keys.agent,
      now,
      received: (message) => this.#received(ToController.parse(message)),
      closed: (why) => {
        this.#end(
          new LoadError(
            'failure',
            `the agent at ${address} is gone (${why}): the run is broken off; look at that machine`,
          ),
        );
        if (!this.#isClosed) lost();
      },
    });
  }

  /** Resolves when each side has proved the secret and the clocks are compared. Rejects with a `LoadError`. `lost`: it went away by itself. */
  static async connect(terms: RemoteAgentTerms, lost: (agent: RemoteAgent) => void): Promise<RemoteAgent> {
    const { address } = terms;
    const socket = new WebSocket(`ws://${address}`, {
      maxPayload: MOST_FRAME_BYTES,
      perMessageDeflate: false,
      handshakeTimeout: CONNECT_WITHIN_MS,
    });
    try {
      const keys = await prove(socket, terms);
      const agent: RemoteAgent = new RemoteAgent(socket, keys, terms, () => lost(agent));
      await agent.compareClocks();
      return agent;
    } catch (error) {
      socket.terminate();
      if (error instanceof LoadError) throw error;
      throw new LoadError(
        'failure',
        `no agent at ${address} (${errorText(error)}): start it there with: sealwire-load agent`,
        {
          cause: error,
        },
      );
    }
  }

  /** Why it is gone; undefined: it is there. */
  get gone(): LoadError | undefined {
    return this.#gone;
  }

  /** Of the last comparison; `offsetMs` makes the agent's time this process's. */
  get clock(): ClockEstimate {
    return this.#estimate;
  }

  /** Answers by how much the clocks have gone apart since the last time, ms. */
  async compareClocks(): Promise<number> {
    const trips: RoundTrip[] = [];
    while (trips.length < ROUND_TRIPS) {
      const asked = this.#now();
      const there = (await this.#ask((waiting) => {
        this.#clock = waiting;
        return { kind: 'clock' };
      })) as number;
      trips.push({ asked, answered: this.#now(), there });
    }
    const before = this.#estimate.offsetMs;
    this.#estimate = estimateOffset(trips);
    return this.#estimate.offsetMs - before;
  }

  /** `worker`: a number of its own at this agent. */
  openHand(worker: number, isForked: boolean, say: (saying: Saying) => void): Hand {
    this.#workers.set(worker, { say });
    this.#channel.send({ kind: 'open', worker, isForked } satisfies ToAgent);
    const order = (order: Order) =>
      this.#ask((waiting) => {
        this.#workers.get(worker)!.waiting = waiting;
        return { kind: 'order', worker, order };
      });
    const { offsetMs: clockOffsetMs } = this.#estimate;
    return {
      prepare: async (share: Share) => void (await order({ order: 'prepare', share: { ...share, clockOffsetMs } })),
      play: (from, until) => order({ order: 'play', from, until }) as Promise<Strain>,
      records: () => order({ order: 'records' }) as Promise<Records>,
      finish: () => order({ order: 'finish' }) as Promise<Verdict>,
      stop: () => this.#channel.send({ kind: 'order', worker, order: { order: 'stop' } } satisfies ToAgent),
      // The agent ends its workers with the connection.
      end: () => undefined,
    };
  }

  /** Ends its workers. `because`: what waits for them fails with it. */
  close(because?: LoadError): void {
    this.#isClosed = true;
    if (because) this.#end(because);
    this.#channel.close();
  }

  #ask(message: (waiting: Waiting) => ToAgent): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#gone) reject(this.#gone);
      else this.#channel.send(message({ resolve, reject }));
    });
  }

  #received(said: ToController): void {
    const worker = said.kind === 'answer' ? this.#workers.get(said.worker) : undefined;
    if (said.kind === 'clock') this.#clock?.resolve(said.at);
    else if (worker) this.#answered(worker, said.answer);
  }

  #answered(worker: { readonly say: (saying: Saying) => void; waiting?: Waiting | undefined }, answer: Answer): void {
    if (answer.say === 'done') worker.waiting?.resolve(answer.result);
    else if (answer.say === 'failed')
      worker.waiting?.reject(new LoadError('failure', `${this.address}: ${answer.message}`));
    else if (answer.say === 'warning') worker.say({ say: 'warning', text: `${this.address}: ${answer.text}` });
    else worker.say(answer);
  }

  #end(why: LoadError): void {
    this.#gone ??= why;
    this.#clock?.reject(this.#gone);
    for (const { waiting } of this.#workers.values()) waiting?.reject(this.#gone);
  }
}

async function prove(socket: WebSocket, { address, secret, version, runtime }: RemoteAgentTerms) {
  const { next, release } = messagesOf(socket);
  const hello = Hello.parse(await next());
  if (hello.format !== AGENT_FORMAT || hello.version !== version)
    throw new LoadError(
      'usage',
      `the agent at ${address} is version ${hello.version}, this is ${version}: use one version everywhere`,
    );
  const nonces = { agent: hello.nonce, controller: newNonce(runtime.random) };
  const proof: Proof = { nonce: nonces.controller, proof: proofOf('controller', secret, nonces) };
  socket.send(JSON.stringify(proof));
  const welcome = Welcome.safeParse(
    await next().catch((error: Error) => {
      const isBusy = error.message.includes('another controller');
      const fix = isBusy
        ? 'it serves another controller: wait'
        : 'it has another secret: the same --secret-file everywhere';
      throw new LoadError('usage', `the agent at ${address} does not let this controller in; ${fix}`, { cause: error });
    }),
  );
  if (!welcome.success || !isProof(welcome.data.proof, 'agent', secret, nonces))
    throw new LoadError(
      'usage',
      `what answers at ${address} does not know the secret: the same --secret-file everywhere`,
    );
  release();
  return channelKeys(secret, nonces);
}

/** Each `next` resolves with the next message, as JSON says it; rejects when the socket closes before, or after a time. `release`: others listen now. */
function messagesOf(socket: WebSocket): { next(): Promise<unknown>; release(): void } {
  const come: unknown[] = [];
  let wake = () => {};
  let failed: Error | undefined;
  const fail = (error: Error) => {
    failed ??= error;
    wake();
  };
  socket.on('error', fail);
  socket.once('close', (_code, reason) => fail(new Error(String(reason) || 'closed')));
  const take = (data: unknown) => {
    come.push(data);
    wake();
  };
  socket.on('message', take);
  const next = async () => {
    const timer = setTimeout(() => fail(new Error('no answer')), CONNECT_WITHIN_MS);
    while (come.length === 0 && !failed)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    clearTimeout(timer);
    if (come.length === 0) throw failed!;
    const text = String(come.shift());
    return JSON.parse(text) as unknown;
  };
  return { next, release: () => void socket.off('message', take) };
}
