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
import type { Ack, ClientFrame, Hello, Lane, Send } from '@sealwire/wire/frames';
import type { DeviceId, MessageId } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import type { WebSocket } from 'ws';
import { Outbox, type OutboxOwner, type OutboxServices } from '../delivery/outbox.ts';
import type { Committer } from '../mailboxes/committer.ts';
import type { Announcements } from '../nodes/announcements.ts';
import { type Router, reject } from '../sending/router.ts';
import type { RelaySettings } from '../settings.ts';
import type { Turn } from '../time/turn.ts';
import { type Login, LoginRefused } from './login.ts';
import { laterNumber, sessionNumber } from './session.ts';
import { SessionWatch, type SessionWatchParts, type Watched } from './session-watch.ts';
import { receives, type Sessions, sends } from './sessions.ts';
import { type SlowConsumer, SocketWriter } from './socket-writer.ts';
import type { TrafficGauges } from './traffic-gauges.ts';

/** What all connections of a relay share. */
export interface ConnectionParts extends SessionWatchParts {
  readonly settings: RelaySettings;
  readonly turn: Turn;
  readonly deviceIds: DeviceIdCache;
  readonly login: Login;
  readonly sessions: Sessions;
  readonly router: Router;
  readonly announcements: Announcements;
  readonly committer: Committer;
  readonly outboxes: OutboxServices;
  readonly mailboxes: Pick<Mailboxes, 'claimSession'>;
  readonly connections: Set<Connection>;
  readonly traffic: TrafficGauges;
  readonly metrics: Pick<Metrics, 'relayConnectionsClosed' | 'unhandledErrors'>;
  readonly log: Log;
}

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
  /** Frames that came while an earlier one waits for the store; the socket is paused meanwhile. */
  private held: Buffer[] | undefined;
  private closeCode: CloseCode | undefined;
  private claimed = false;
  private readonly watch: SessionWatch;

  constructor(
    private readonly ws: WebSocket,
    socket: Duplex,
    private readonly parts: ConnectionParts,
  ) {
    const { settings, turn, connections } = parts;
    this.writer = new SocketWriter(socket, turn, settings.socketQueueBytes, this);
    this.watch = new SessionWatch(this, parts);
    (ws as Attached)[CONNECTION] = this;
    ws.on('message', onMessage).on('pong', onPong).on('close', onClose).on('error', onError);
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
    this.parts.log.warn('mailbox-read-failed', { error });
    this.pollSoon();
  }

  overlooked(): void {
    this.parts.announcements.opened(this);
  }

  pollSoon(): void {
    if (!this.closed) this.watch.pollSoon();
  }

  ping(): void {
    this.ws.ping();
  }

  cut(): void {
    this.ws.terminate();
  }

  lookAgain(): void {
    if (this.outbox && !this.claimed) this.claim();
    this.outbox?.poll();
  }

  /** A binary message of the peer. */
  receive(raw: Buffer): void {
    if (this.closed) return;
    this.watch.heard();
    if (this.held) {
      this.held.push(raw);
      this.ws.pause();
      return;
    }
    try {
      this.dispatch(raw);
    } catch (error) {
      this.unexpected(error);
    }
  }

  heard(): void {
    this.watch.heard();
  }

  refuseText(): void {
    this.protocolError('bad-frame', 'frames are binary');
  }

  /** The socket is gone, whoever ended it. */
  gone(code: number): void {
    this.leave();
    this.parts.connections.delete(this);
    const known = this.closeCode ?? (code in CLOSE_CODES ? code : 'other');
    this.parts.metrics.relayConnectionsClosed.inc({ code: String(known) });
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
      if (frame.kind === 'hello') this.holdUntil(this.logIn(frame));
      else this.protocolError('bad-frame', 'the first frame is a hello');
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
        if (sends(this.lane)) this.parts.router.ephemeral(this, frame);
        break;
      case 'ping':
        this.writer.frame(encodeServerFrame({ kind: 'pong', nonce: frame.nonce }));
        break;
      case 'renew':
        this.holdUntil(this.renew(frame.token));
        break;
      case 'hello':
        this.protocolError('bad-frame', 'a second hello');
    }
  }

  private undecodable(error: WireError): void {
    if (error.code === 'unknown-frame') {
      // Of a newer version: said, skipped, not fatal (case H15).
      this.parts.traffic.frame('unknown');
      this.tellError('unknown-frame', error.message);
    } else {
      this.parts.traffic.frame('bad');
      this.protocolError(error.code === 'payload-too-large' ? 'payload-too-large' : 'bad-frame', error.message);
    }
  }

  private send(frame: Send, raw: Buffer): void {
    if (!sends(this.lane)) {
      reject(this, frame.id, 'forbidden');
      return;
    }
    const waiting = this.parts.router.send(this, frame, raw);
    if (waiting) this.holdUntil(waiting);
  }

  private ack({ upTo }: Ack): void {
    if (this.outbox) this.outbox.acknowledge(upTo);
    else this.acknowledgedTooMuch();
  }

  private async logIn(hello: Hello): Promise<void> {
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
    this.number = sessions.nextNumber(sessionNumber(time, random(2)));
    if (receives(this.lane)) this.outbox = new Outbox(device, this.writer, outboxes, this);
    this.isOpen = true;
    this.writer.frame(
      encodeServerFrame({ kind: 'welcome', device, serverTime: time, expiresAt, window: settings.windowMessages }),
    );
    // Subscribed first, then the mailbox is read: what is appended from here on reaches this outbox.
    sessions.open(this);
    this.watch.open(expiresAt);
    if (!this.outbox) return;
    this.outbox.start();
    announcements.opened(this);
    this.claim();
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
   * `leap`: a session that looks newer may only come from a node whose clock is ahead; whoever connected last is the newest.
   */
  private claim(leap = true): void {
    const { mailboxes, sessions, announcements, settings } = this.parts;
    mailboxes.claimSession(this.device, this.number).then(
      (result) => {
        this.claimed = true;
        if (result === 'claimed' || this.closed) return;
        if (leap) {
          this.number = sessions.nextNumber(laterNumber(this.number, settings.clockSkewMs));
          announcements.opened(this);
          this.claim(false);
        } else {
          this.close(closeCodeOf('replaced'));
        }
      },
      () => this.pollSoon(),
    );
  }

  private holdUntil(done: Promise<void>): void {
    this.held = [];
    done.then(
      () => this.release(),
      (error) => this.unexpected(error),
    );
  }

  private release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const raw of held) this.receive(raw);
    if (!this.held && this.ws.isPaused) this.ws.resume();
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
    this.parts.log.error('frame-failed', { error });
    this.close(closeCodeOf('restart'));
  }

  private leave(): void {
    if (this.closed) return;
    const { sessions, announcements } = this.parts;
    this.closed = true;
    this.held = undefined;
    this.watch.stop();
    this.outbox?.stop();
    if (this.isOpen && sessions.receiver(this.device) === this) announcements.closed(this);
    sessions.remove(this);
  }
}

function onMessage(this: WebSocket, data: Buffer, isBinary: boolean): void {
  const connection = (this as Attached)[CONNECTION];
  if (isBinary) connection?.receive(data);
  else connection?.refuseText();
}

function onPong(this: WebSocket): void {
  (this as Attached)[CONNECTION]?.heard();
}

function onClose(this: WebSocket, code: number): void {
  (this as Attached)[CONNECTION]?.gone(code);
}

/** `ws` closes the socket with the right code by itself (1002, 1007, 1009); the close is what is counted. */
function onError(): void {}
