/**
 * What becomes due on a socket as time passes: its hello, pings and their answers, the end of its token, and the poll that makes good
 * whatever the bus lost (delivery, "rules that follow"). One entry of the timer wheel a socket.
 */
import type { RandomBytes } from '@sealwire/crypto/port';
import type { Devices } from '@sealwire/store/port';
import { closeCodeOf } from '@sealwire/wire/errors';
import { type AccountAddress, accountOf } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { RelaySettings } from '../settings.ts';
import { type TimerWheel, ticks, type WheelEntry } from '../time/timer-wheel.ts';
import type { Session } from './session.ts';

const POLL_SOON_MS = 2_000;

/** The socket under watch. */
export interface Watched extends Session {
  ping(): void;
  /** Ends the socket at once: its peer does not take part any more. */
  cut(): void;
  /** Asks the store for what the bus may have lost. */
  lookAgain(): void;
}

export interface SessionWatchParts {
  readonly settings: Pick<
    RelaySettings,
    'helloMs' | 'pingEveryMs' | 'pongWithinMs' | 'pollFromMs' | 'pollToMs' | 'clockSkewMs'
  >;
  readonly wheel: TimerWheel;
  readonly devices: Pick<Devices, 'find'>;
  /** Whether an operator shut this account out. */
  readonly isDisabled: (account: AccountAddress) => Promise<boolean>;
  readonly now: () => number;
  readonly random: RandomBytes;
}

export class SessionWatch implements WheelEntry {
  slot = -1;
  /** ms since 1970: the end of the token, as the clock was when it came. 0: not logged in. */
  private expiresAt = 0;
  // In ticks of the wheel; 0: nothing is awaited.
  private tokenEnd = 0;
  private readonly helloBy: number;
  private pingAt = 0;
  private pongBy = 0;
  private pollAt = 0;

  constructor(
    private readonly session: Watched,
    private readonly parts: SessionWatchParts,
  ) {
    const { wheel, settings } = parts;
    this.helloBy = wheel.tick + ticks(settings.helloMs);
    wheel.set(this, this.helloBy);
  }

  /** The hello was a good one. */
  open(expiresAt: number): void {
    const { wheel, settings } = this.parts;
    this.expiresAt = expiresAt;
    this.tokenEnd = this.endOf(expiresAt);
    this.pingAt = wheel.tick + ticks(settings.pingEveryMs);
    this.pollAt = wheel.tick + this.jitteredTicks(settings.pollFromMs, settings.pollToMs);
    wheel.set(this, wheel.tick + 1);
  }

  /** A newer token; the later end counts. Answers it. */
  renew(expiresAt: number): number {
    const end = this.endOf(expiresAt);
    if (end >= this.tokenEnd) {
      this.tokenEnd = end;
      this.expiresAt = expiresAt;
    }
    return this.expiresAt;
  }

  /** Anything that the peer sends answers a ping. */
  heard(): void {
    this.pongBy = 0;
  }

  /** Never later than it would be anyway. */
  pollSoon(): void {
    this.pollAt = Math.min(this.pollAt, this.parts.wheel.tick + this.jitteredTicks(0, POLL_SOON_MS));
    this.parts.wheel.set(this, this.pollAt);
  }

  stop(): void {
    this.parts.wheel.remove(this);
  }

  due(tick: number): number {
    const { session } = this;
    if (this.expiresAt === 0) {
      if (tick < this.helloBy) return this.helloBy;
      session.close(closeCodeOf('no-hello'));
    } else if (this.pongBy > 0 && tick >= this.pongBy) {
      this.lost();
    } else if (tick < this.tokenEnd) {
      return this.next(tick);
    } else {
      session.close(closeCodeOf('token-expired'));
    }
    return 0;
  }

  /** From here on in ticks: a clock that is set ends no session, and makes none longer than a token lives. */
  private endOf(expiresAt: number): number {
    const { wheel, settings, now } = this.parts;
    const leftMs = Math.min(expiresAt - now(), LIMITS.accessTokenMs.value) + settings.clockSkewMs;
    return wheel.tick + ticks(leftMs);
  }

  private next(tick: number): number {
    const { pingEveryMs, pongWithinMs, pollFromMs, pollToMs } = this.parts.settings;
    if (tick >= this.pingAt) {
      this.session.ping();
      this.pingAt = tick + ticks(pingEveryMs);
      this.pongBy = tick + ticks(pongWithinMs);
    }
    if (tick >= this.pollAt) {
      this.pollAt = tick + this.jitteredTicks(pollFromMs, pollToMs);
      this.poll();
    }
    return Math.min(this.pingAt, this.pollAt, this.pongBy || this.pingAt, this.tokenEnd);
  }

  private poll(): void {
    const { session } = this;
    const { devices, isDisabled } = this.parts;
    Promise.all([devices.find(session.device), isDisabled(accountOf(session.device))]).then(
      ([device, isOut]) => {
        if (!device) session.close(closeCodeOf('device-removed'));
        else if (isOut) session.close(closeCodeOf('token-refused'));
        else if (!session.closed) session.lookAgain();
      },
      () => session.pollSoon(),
    );
  }

  /** No answer to a ping: a peer that left, or one that has not read as far as the ping. */
  private lost(): void {
    this.session.close(closeCodeOf(this.session.writer.waitingBytes > 0 ? 'too-slow' : 'no-pong'));
    this.session.cut();
  }

  private jitteredTicks(fromMs: number, toMs: number): number {
    const [high = 0, low = 0] = this.parts.random(2);
    return Math.max(1, ticks(fromMs + ((toMs - fromMs) * ((high << 8) | low)) / 65_535));
  }
}
