/** The MQTT broker (3.1.1; docs/spec/nes.md section 2), over mqtt.js: what was published is the broker's, what came is ours until it was shown. */
import { connect, ErrorWithReasonCode, type IClientOptions } from 'mqtt';
import { CliError } from '../exit-codes.ts';
import { reasonOfCode } from '../network-reason.ts';

const KEEP_ALIVE_S = 30;
const AGAIN_AFTER_MS = 1_000;
const WITHIN_MS = 10_000;
/** Twice: what a genuine client asks for, whose reader shows a repeat again. */
const EXACTLY_ONCE = 2;
/** A message is the broker's until it was shown, however this process ends; repeats are known by their signature. */
const AT_LEAST_ONCE = 1;
/** Return codes of CONNACK that no repeat changes. */
const REFUSALS: Readonly<Record<number, string>> = {
  1: 'it does not speak MQTT 3.1.1',
  2: 'it refuses this client id',
  4: 'wrong user or password: put them into its URL',
  5: 'this user may not connect: put user and password into its URL',
};

export interface BrokerOptions {
  readonly url: string;
  readonly clientId: string;
  /** The broker keeps the session, and what comes meanwhile, when we are gone. */
  readonly keepsSession: boolean;
  /** Hears when the connection was lost, or not made, and when it is there (again). */
  readonly note?: (text: string) => void;
}

export interface Broker {
  /** Resolves when the broker answers for it. Rejects with `CliError`. */
  publish(topic: string, payload: Uint8Array): Promise<void>;
  /**
   * From now on, and after each reconnection, calls `take` for each message, one after the other; the broker forgets one when `take` has
   * resolved with true, and keeps it for the next session when with false. `isRepeat`: it may have come before. Resolves when the broker
   * has granted it.
   */
  subscribe(topic: string, take: (payload: Uint8Array, isRepeat: boolean) => Promise<boolean>): Promise<void>;
  /** Rejects, with `CliError`, when the broker will never have us, or `take` failed; else pending. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

export function connectBroker({ url, clientId, keepsSession, note = () => {} }: BrokerOptions): Broker {
  const options: IClientOptions = {
    protocolVersion: 4,
    clientId,
    clean: !keepsSession,
    keepalive: KEEP_ALIVE_S,
    reconnectPeriod: AGAIN_AFTER_MS,
    connectTimeout: WITHIN_MS,
    // `subscribe` does it: a connection that is lost meanwhile is no failure.
    resubscribe: false,
  };
  const place = withoutPassword(url);
  const client = connect(url, options);
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  // Whoever races nothing against it hears of it by the call that fails.
  failed.catch(() => {});
  let why: string | undefined;
  let isAway = false;
  let isClosed = false;
  client.on('error', (error) => {
    why = reasonOfCode((error as NodeJS.ErrnoException).code as string | undefined) ?? error.message;
    const refusal = error instanceof ErrorWithReasonCode ? REFUSALS[error.code] : undefined;
    if (refusal !== undefined) fail(new CliError('authentication', `the broker ${place} refuses: ${refusal}`));
  });
  client.on('connect', () => {
    if (isAway) note('the broker is back');
    isAway = false;
  });
  client.on('close', () => {
    if (isAway || isClosed) return;
    isAway = true;
    note(`no connection to the broker ${place}${why ? ` (${why})` : ''}: trying again until you stop it`);
  });

  const orFail = <T>(work: Promise<T>) => Promise.race([work, failed]);
  return {
    failed,

    async publish(topic, payload) {
      const bytes = Buffer.from(payload);
      await orFail(client.publishAsync(topic, bytes, { qos: EXACTLY_ONCE, retain: false }));
    },

    async subscribe(topic, take) {
      let turn = Promise.resolve();
      client.handleMessage = (packet, done) => {
        const { payload, dup } = packet as { payload: Buffer; dup?: boolean };
        turn = turn
          .then(() => take(new Uint8Array(payload), dup === true))
          .then(
            // What is not acknowledged still has to be done with: a connection that waits for it does not close.
            (isTaken) => done(isTaken ? undefined : new Error('left with the broker')),
            fail,
          );
      };
      const unreadable = () => new CliError('failure', `the broker ${place} does not let us read ${topic}`);
      const granted = new Promise<void>((resolve) => {
        const ask = () =>
          client.subscribeAsync(topic, { qos: AT_LEAST_ONCE }).then(
            ([answer]) => {
              if (answer?.qos === AT_LEAST_ONCE) resolve();
              else fail(unreadable());
            },
            // Without an answer the connection was lost: asked again when there is another.
            (error: Error) => {
              if ('packet' in error) fail(unreadable());
            },
          );
        client.on('connect', ask);
        if (client.connected) void ask();
      });
      await orFail(granted);
    },

    async close() {
      isClosed = true;
      await client.endAsync(!client.connected);
    },
  };
}

export function withoutPassword(text: string): string {
  const url = new URL(text);
  if (url.password !== '') url.password = '***';
  return url.href.replace(/\/$/, '');
}
