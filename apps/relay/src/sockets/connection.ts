/**
 * One socket (house section 5, hops 1 and 5): decodes frames, switches on their kind, closes. The first frame must be a Hello.
 * `ws` parses what the peer sends; all sockets share its handlers and one timer wheel.
 */

import type { Duplex } from 'node:stream';
import { CLOSE_CODES, type CloseCode, closeCodeOf, ERRORS, type ErrorCode } from '@sealwire/wire/errors';
import { decodeClientFrame, encodeServerFrame } from '@sealwire/wire/frame-codec';
import type { Ack, ClientFrame, Ephemeral, Hello, Lane, Send } from '@sealwire/wire/frames';
import type { DeviceId, MessageId } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import type { WebSocket } from 'ws';
import { Outbox, type OutboxOwner } from '../delivery/outbox.ts';
import { reject } from '../sending/refusals.ts';
import type { ConnectionParts } from './connection-parts.ts';
import { FrameFlow } from './frame-flow.ts';
import { LoginRefused } from './login.ts';
import { sessionNumber } from './session.ts';
import { type Claimant, claim } from './session-claim.ts';
import { SessionWatch, type Watched } from './session-watch.ts';
import { receives, sends } from './sessions.ts';
import { type SlowConsumer, SocketWriter } from './socket-writer.ts';
import { SpareFrames } from './spare-frames.ts';
import { attach, type SocketPeer } from './websocket-events.ts';

export class Connection implements Watched, Claimant, SlowConsumer, OutboxOwner, SocketPeer {
  readonly writer: SocketWriter;
  device = '' as DeviceId;
  lane: Lane = 'both';
  number = 0;
  outbox: Outbox | undefined;
  closed = false;
  accepted: MessageId[] | undefined;
  claimed = false;
  private isOpen = false;
  private closeCode: CloseCode | undefined;
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
    attach(ws, this);
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
    this.flow.submitted(bytes);
  }

  settled(bytes: number): void {
    this.flow.settled(bytes);
  }

  ping(): void {
    this.ws.ping();
  }

  cut(): void {
    this.ws.terminate();
  }

  lookAgain(): void {
    if (this.outbox && !this.claimed) claim(this, this.parts, false);
    this.outbox?.poll();
  }

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

  pinged(data: Buffer): void {
    if (!this.takeControl(data)) return;
    this.ws.pong(data);
    if (this.writer.waitingBytes > this.parts.settings.socketQueueBytes) this.tooSlow();
  }

  ponged(data: Buffer): void {
    if (this.takeControl(data)) this.watch.heard();
  }

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
    claim(this, this.parts, true);
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
