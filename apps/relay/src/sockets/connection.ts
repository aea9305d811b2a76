/**
 * One socket (house section 5, hops 1 and 5): decodes frames, switches on their kind, closes. The first frame must be a Hello.
 * `ws` parses what the peer sends; all sockets share the handlers below and one timer wheel.
 */

import type { Duplex } from 'node:stream';
import type { Log } from '@sealwire/service/log';
import type { Metrics } from '@sealwire/service/metrics';
import type { Mailboxes } from '@sealwire/store/port';
import type { DeviceIdCache } from '@sealwire/wire/device-id-cache';
import { CLOSE_CODES, type CloseCode, closeCodeOf, ERRORS, type ErrorCode } from '@sealwire/wire/errors';
import { decodeClientFrame, encodeServerFrame } from '@sealwire/wire/frame-codec';
import type { Ack, ClientFrame, Ephemeral, Hello, Lane, Send } from '@sealwire/wire/frames';
import type { DeviceId, MessageId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { WireError } from '@sealwire/wire/wire-error';
import type { WebSocket } from 'ws';
import { Outbox, type OutboxOwner, type OutboxServices } from '../delivery/outbox.ts';
import type { Committer } from '../mailboxes/committer.ts';
import type { Announcements } from '../nodes/announcements.ts';
import type { Presence } from '../presence/presence.ts';
import { type Router, reject } from '../sending/router.ts';
import type { RelaySettings } from '../settings.ts';
import type { Turn } from '../time/turn.ts';
import { FrameFlow } from './frame-flow.ts';
import { type Login, LoginRefused } from './login.ts';
import type { LoginQueue } from './login-queue.ts';
import { numberAfter, type Session, sessionNumber } from './session.ts';
import { SessionWatch, type SessionWatchParts, type Watched } from './session-watch.ts';
import { receives, type Sessions, sends } from './sessions.ts';
import { type SlowConsumer, SocketWriter } from './socket-writer.ts';
import { SpareFrames } from './spare-frames.ts';
import type { TrafficGauges } from './traffic-gauges.ts';

/** What all connections of a relay share. */
export interface ConnectionParts extends SessionWatchParts {
  readonly settings: RelaySettings;
  readonly turn: Turn;
  readonly deviceIds: DeviceIdCache;
  readonly login: Login;
  readonly logins: LoginQueue;
  readonly sessions: Sessions;
  readonly router: Router;
  readonly announcements: Announcements;
  readonly presence: Presence;
  /** A session that has just begun. */
  readonly arrived: (session: Session) => void;
  readonly committer: Committer;
  readonly outboxes: OutboxServices;
  readonly mailboxes: Pick<Mailboxes, 'claimSession'>;
  readonly connections: Set<Connection>;
  readonly traffic: TrafficGauges;
  readonly metrics: Pick<Metrics, 'relayConnectionsClosed' | 'relaySessions' | 'unhandledErrors'>;
  readonly log: Log;
}

const UNWRITTEN_BYTES = LIMITS.unwrittenBytes.value;

const CONNECTION = Symbol('connection');
type Attached = WebSocket & { [CONNECTION]?: Connection };

export class Connection implements Watched, SlowConsumer, OutboxOwner {
  readonly writer: SocketWriter;
  device = '' as DeviceId;
  lane: Lane = 'both';
  number = 0;
  outbox: Outbox | undefined;
  closed = false;
  accepted: MessageId[] | undefined;
  private isOpen = false;
  private closeCode: CloseCode | undefined;
  private claimed = false;
  /** Bytes of messages that wait for their durable write. */
  private unwritten = 0;
  private readonly watch: SessionWatch;
  private readonly flow: FrameFlow;
  private readonly spare: SpareFrames;

  /** `address`: whose logins wait for each other. */
  constructor(
    private readonly ws: WebSocket,
    socket: Duplex,
    private readonly address: string,
    private readonly parts: ConnectionParts,
  ) {
    const { settings, turn, connections, wheel } = parts;
    this.flow = new FrameFlow(ws, turn);
    this.spare = new SpareFrames(wheel);
    this.writer = new SocketWriter(socket, turn, settings.socketQueueBytes, this);
    this.watch = new SessionWatch(this, parts);
    (ws as Attached)[CONNECTION] = this;
    ws.on('message', onMessage).on('ping', onPing).on('pong', onPong).on('close', onClose).on('error', onError);
    connections.add(this);
  }

  /** Sends what is queued, then a Close frame; nothing is delivered or acknowledged any more. */
  close(code: CloseCode): void {
    if (this.closed) return;
    this.closeCode = code;
    this.leave();
    this.writer.end();
    this.ws.close(code, CLOSE_CODES[code].name);
  }

  tooSlow(): void {
    this.close(closeCodeOf('too-slow'));
  }

  acknowledged(upTo: number): void {
    this.parts.committer.acknowledge(this, upTo);
  }

  acknowledgedTooMuch(): void {
    this.protocolError('bad-frame', 'an acknowledgement of something that was never sent');
  }

  readFailed(error: unknown): void {
    this.parts.metrics.unhandledErrors.inc({ where: 'mailbox-read' });
    this.parts.log.warn('mailbox-read-failed', { error, device: this.device });
    this.pollSoon();
  }

  overlooked(): void {
    this.parts.announcements.opened(this);
  }

  pollSoon(): void {
    if (!this.closed) this.watch.pollSoon();
  }

  submitted(bytes: number): void {
    const before = this.unwritten;
    this.unwritten += bytes;
    if (before <= UNWRITTEN_BYTES && this.unwritten > UNWRITTEN_BYTES) this.flow.hold();
  }

  settled(bytes: number): void {
    const before = this.unwritten;
    this.unwritten -= bytes;
    if (before > UNWRITTEN_BYTES && this.unwritten <= UNWRITTEN_BYTES) this.flow.release();
  }

  ping(): void {
    this.ws.ping();
  }

  cut(): void {
    this.ws.terminate();
  }

  lookAgain(): void {
    if (this.outbox && !this.claimed) this.claim(false);
    this.outbox?.poll();
  }

  /** A message of the peer. */
  receive(raw: Buffer, isBinary: boolean): void {
    this.flow.took(raw.length);
    if (this.closed) return;
    this.watch.heard();
    if (!isBinary) {
      this.protocolError('bad-frame', 'frames are binary');
      return;
    }
    try {
      this.dispatch(raw);
    } catch (error) {
      this.unexpected(error);
    }
  }

  /** A ping of the peer (RFC 6455 section 5.5.2). */
  pinged(data: Buffer): void {
    if (!this.takeControl(data)) return;
    this.ws.pong(data);
    if (this.writer.waitingBytes > this.parts.settings.socketQueueBytes) this.tooSlow();
  }

  ponged(data: Buffer): void {
    if (this.takeControl(data)) this.watch.heard();
  }

  /** The socket is gone, whoever ended it. */
  gone(code: number): void {
    this.leave();
    this.parts.connections.delete(this);
    const known = this.closeCode ?? (code in CLOSE_CODES ? code : 'other');
    this.parts.metrics.relayConnectionsClosed.inc({ code: String(known) });
    this.parts.log.debug('session-closed', { code: known, device: this.device });
  }

  private dispatch(raw: Buffer): void {
    const { traffic, deviceIds } = this.parts;
    let frame: ClientFrame;
    try {
      frame = decodeClientFrame(raw, deviceIds);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.undecodable(error);
      return;
    }
    traffic.frame(frame.kind);
    if (!this.isOpen) {
      if (frame.kind === 'hello') this.holdUntil(this.parts.logins.run(this.address, () => this.logIn(frame)));
      else this.helloExpected();
      return;
    }
    switch (frame.kind) {
      case 'send':
        this.send(frame, raw);
        break;
      case 'ack':
        this.ack(frame);
        break;
      case 'ephemeral':
        this.flow.costs(frame.parts.length - 1);
        if (this.takeSpare() && sends(this.lane)) this.ephemeral(frame);
        break;
      case 'show':
        this.flow.costs(frame.accounts.length - 1);
        if (this.takeSpare() && sends(this.lane)) this.parts.presence.show(this, frame);
        break;
      case 'appear':
        if (this.takeSpare() && sends(this.lane)) this.parts.presence.appear(this, frame.away);
        break;
      case 'ping':
        if (this.takeSpare()) this.writer.frame(encodeServerFrame({ kind: 'pong', nonce: frame.nonce }));
        break;
      case 'renew':
        if (this.takeSpare()) this.holdUntil(this.renew(frame.token));
        break;
      case 'hello':
        this.protocolError('bad-frame', 'a second hello');
    }
  }

  private undecodable(error: WireError): void {
    const isUnknown = error.code === 'unknown-frame';
    this.parts.traffic.frame(isUnknown ? 'unknown' : 'bad');
    if (!isUnknown)
      this.protocolError(error.code === 'payload-too-large' ? 'payload-too-large' : 'bad-frame', error.message);
    else if (!this.isOpen) this.helloExpected();
    // Of a newer version: said, skipped, not fatal (case H15).
    else if (this.takeSpare()) this.tellError('unknown-frame', error.message);
  }

  /** A ping or pong of the WebSocket; false: it is not to be answered. */
  private takeControl(data: Buffer): boolean {
    this.flow.took(data.length);
    if (this.closed) return false;
    if (this.isOpen) return this.takeSpare();
    this.helloExpected();
    return false;
  }

  /** Counts a frame that brings no message; false: one too many, and the socket is closed. */
  private takeSpare(): boolean {
    if (this.spare.take()) return true;
    this.close(closeCodeOf('too-many-frames'));
    return false;
  }

  private helloExpected(): void {
    this.protocolError('bad-frame', 'the first frame is a hello');
  }

  private send(frame: Send, raw: Buffer): void {
    if (!sends(this.lane)) {
      reject(this, frame.id, 'forbidden');
      return;
    }
    // Limits, mail and a look into the store for each: the first is in what a frame costs.
    this.flow.costs(frame.parts.length - 1);
    const waiting = this.parts.router.send(this, frame, raw);
    if (waiting) this.holdUntil(waiting);
  }

  private ephemeral(frame: Ephemeral): void {
    const waiting = this.parts.router.ephemeral(this, frame);
    if (waiting) this.holdUntil(waiting);
  }

  private ack({ upTo }: Ack): void {
    if (!this.outbox) this.acknowledgedTooMuch();
    else if (!this.outbox.acknowledge(upTo)) this.takeSpare();
  }

  private async logIn(hello: Hello): Promise<void> {
    // It left, or its time to say hello ended, while others of its address were verified.
    if (this.closed) return;
    const { login, settings, sessions, announcements, outboxes, now, random } = this.parts;
    let device: DeviceId;
    let expiresAt: number;
    let closings: number;
    try {
      do {
        closings = sessions.closings;
        ({ device, expiresAt } = await login.check(hello.token));
      } while (closings !== sessions.closings && !this.closed);
    } catch (error) {
      if (!(error instanceof LoginRefused)) throw error;
      this.close(error.closeCode);
      return;
    }
    if (this.closed) return;
    const time = now();
    this.device = device;
    this.lane = hello.lane;
    const chance = random(4);
    this.number = sessions.nextNumber(sessionNumber(time, chance.subarray(0, 2)), chance.subarray(2));
    if (receives(this.lane)) this.outbox = new Outbox(device, this.writer, outboxes, this);
    this.isOpen = true;
    this.parts.metrics.relaySessions.inc();
    this.parts.log.debug('session-opened', { device });
    this.writer.frame(
      encodeServerFrame({ kind: 'welcome', device, serverTime: time, expiresAt, window: settings.windowMessages }),
    );
    // Subscribed first, then the mailbox is read: what is appended from here on reaches this outbox.
    sessions.open(this);
    this.watch.open(expiresAt);
    this.parts.arrived(this);
    if (!this.outbox) return;
    this.outbox.start();
    announcements.opened(this);
    this.claim(true);
  }

  private async renew(token: string): Promise<void> {
    try {
      const { device, expiresAt } = await this.parts.login.check(token);
      if (device !== this.device) throw new LoginRefused(closeCodeOf('token-refused'));
      this.writer.frame(encodeServerFrame({ kind: 'renewed', expiresAt: this.watch.renew(expiresAt) }));
    } catch (error) {
      if (!(error instanceof LoginRefused)) throw error;
      if (error.closeCode === closeCodeOf('device-removed')) this.close(error.closeCode);
      // Any other token changes nothing: the socket lives until the one it has ends.
      else this.tellError('unauthorized', ERRORS.unauthorized.title);
    }
  }

  /**
   * In the background: the first frame does not wait for a write. Until it is done, an older session could still acknowledge.
   * `justConnected`: then this is the newest session, whatever the clocks of nodes say that made the numbers, or said before they were
   * set right. One that claims later may have been replaced meanwhile.
   */
  private claim(justConnected: boolean): void {
    const { mailboxes, sessions, announcements, random } = this.parts;
    mailboxes.claimSession(this.device, this.number).then(
      (newest) => {
        this.claimed = true;
        if (newest === this.number || this.closed) return;
        if (justConnected && newest !== undefined) {
          this.number = sessions.nextNumber(numberAfter(newest, random(2)), random(2));
          announcements.opened(this);
          this.claim(false);
        } else {
          this.close(closeCodeOf(newest === undefined ? 'device-removed' : 'replaced'));
        }
      },
      () => this.pollSoon(),
    );
  }

  /** What comes meanwhile stays in the socket. */
  private holdUntil(done: Promise<void>): void {
    this.flow.hold();
    done.catch((error) => this.unexpected(error)).then(() => this.flow.release());
  }

  private tellError(code: ErrorCode, text: string): void {
    this.writer.frame(encodeServerFrame({ kind: 'error', code, text }));
  }

  private protocolError(code: ErrorCode, text: string): void {
    if (this.closed) return;
    this.tellError(code, text);
    this.close(closeCodeOf('protocol-error'));
  }

  /** A fault of ours in a handler: this socket ends and comes back, the others live on (case H16). */
  private unexpected(error: unknown): void {
    this.parts.metrics.unhandledErrors.inc({ where: 'relay-frame' });
    this.parts.log.error('frame-failed', { error, device: this.device });
    this.close(closeCodeOf('restart'));
  }

  private leave(): void {
    if (this.closed) return;
    const { sessions, announcements, presence } = this.parts;
    this.closed = true;
    this.watch.stop();
    this.outbox?.stop();
    if (this.isOpen && sessions.receiver(this.device) === this) announcements.closed(this);
    sessions.remove(this);
    presence.left(this);
  }
}

function onMessage(this: WebSocket, data: Buffer, isBinary: boolean): void {
  (this as Attached)[CONNECTION]?.receive(data, isBinary);
}

function onPing(this: WebSocket, data: Buffer): void {
  (this as Attached)[CONNECTION]?.pinged(data);
}

function onPong(this: WebSocket, data: Buffer): void {
  (this as Attached)[CONNECTION]?.ponged(data);
}

function onClose(this: WebSocket, code: number): void {
  (this as Attached)[CONNECTION]?.gone(code);
}

/** `ws` closes the socket with the right code by itself (1002, 1007, 1009); the close is what is counted. */
function onError(): void {}
