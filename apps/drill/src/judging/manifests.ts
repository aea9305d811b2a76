/** Lists of devices: what the directory took or showed stays, and no older one is shown after it (manifest.md). */
import type { HistoryEvent } from '../history/events.ts';
import type { Offend } from './offences.ts';

interface Version {
  /** When a client knew that the directory has it. */
  readonly at: number;
  readonly digest: string;
}

interface Account {
  /** By version: accepted ones, and those that were shown, whose writer's answer may be lost or late. */
  readonly known: Map<number, Version>;
  readonly accepted: Set<number>;
  readonly held: Map<number, string>;
}

export class Manifests {
  readonly #offend: Offend;
  readonly #accounts = new Map<string, Account>();
  #count = 0;

  constructor(offend: Offend) {
    this.#offend = offend;
  }

  /** Accepted ones. */
  get count(): number {
    return this.#count;
  }

  take(event: HistoryEvent): void {
    switch (event.event) {
      case 'manifest-accepted': {
        const { accepted } = this.#of(event.account);
        if (!accepted.has(event.version)) this.#count += 1;
        accepted.add(event.version);
        this.#learn(event, 'two were accepted, or another one was shown');
        break;
      }
      case 'manifest-read':
        this.#shown(event.account, event.version, event.asked);
        this.#learn(event, 'another one was shown');
        break;
      case 'manifest-missing':
        for (const account of this.#accounts.keys())
          if (account.startsWith(`sip:${event.name}@`)) this.#shown(account, 0, event.asked);
        break;
      case 'manifest-held':
        this.#of(event.account).held.set(event.version, event.digest);
        break;
    }
  }

  missing(offend: Offend): void {
    for (const [account, { known, held }] of this.#accounts)
      for (const [version, { at, digest }] of known)
        if (held.get(version) !== digest)
          offend('manifest-gone', at, `${account} version ${version}: not held at the end`);
  }

  /** `version` 0: none. */
  #shown(account: string, version: number, asked: number): void {
    for (const [newer, { at }] of this.#of(account).known)
      if (at < asked && version < newer)
        this.#offend('manifest-gone', at, `${account} version ${newer}: ${version || 'none'} was shown after it`);
  }

  #learn(event: Extract<HistoryEvent, { event: 'manifest-accepted' | 'manifest-read' }>, otherwise: string): void {
    const { known } = this.#of(event.account);
    const before = known.get(event.version);
    if (!before) known.set(event.version, { at: event.at, digest: event.digest });
    else if (before.digest !== event.digest)
      this.#offend('manifest-gone', before.at, `${event.account} version ${event.version}: ${otherwise}`);
  }

  #of(account: string): Account {
    let known = this.#accounts.get(account);
    if (!known) {
      known = { known: new Map(), accepted: new Set(), held: new Map() };
      this.#accounts.set(account, known);
    }
    return known;
  }
}
