/**
 * Lists of devices: what the directory took or showed stays, and no older one is shown after it (manifest.md). What a restore took away is
 * there again at the end: devices give it back (docs/adr/0028).
 */
import type { HistoryEvent } from '../history/events.ts';
import type { Offend } from './offences.ts';
import type { Restores } from './restores.ts';

interface Version {
  /** When a client knew that the directory has it. */
  readonly at: number;
  readonly digest: string;
}

interface Account {
  /** By version: accepted ones, and those that were shown, whose writer's answer may be lost or late. */
  readonly known: Map<number, Version>;
  readonly accepted: Set<number>;
  /** What a restore may have taken away. */
  readonly awaited: Map<number, Version>;
  readonly held: Map<number, string>;
}

export class Manifests {
  readonly #offend: Offend;
  readonly #restores: Restores;
  readonly #accounts = new Map<string, Account>();
  #count = 0;

  constructor(offend: Offend, restores: Restores) {
    this.#offend = offend;
    this.#restores = restores;
  }

  /** Accepted ones. */
  get count(): number {
    return this.#count;
  }

  /** Versions that a restore may have taken away, and that are there at the end. */
  get givenBack(): number {
    let count = 0;
    for (const { awaited, held } of this.#accounts.values())
      for (const [version, { digest }] of awaited) if (held.get(version) === digest) count += 1;
    return count;
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
      case 'restored':
        this.#restored();
        break;
      case 'manifest-held':
        this.#of(event.account).held.set(event.version, event.digest);
        break;
    }
  }

  missing(offend: Offend): void {
    for (const [account, { known, awaited, held }] of this.#accounts)
      for (const [version, { at, digest }] of [...awaited, ...known])
        if (held.get(version) !== digest)
          offend('manifest-gone', at, `${account} version ${version}: not held at the end`);
  }

  /** `version` 0: none. */
  #shown(account: string, version: number, asked: number): void {
    for (const [newer, { at }] of this.#of(account).known)
      if (at < asked && version < newer)
        this.#offend('manifest-gone', at, `${account} version ${newer}: ${version || 'none'} was shown after it`);
  }

  #restored(): void {
    for (const { known, awaited } of this.#accounts.values())
      for (const [version, one] of known)
        if (this.#restores.lostWith(one.at)) {
          known.delete(version);
          awaited.set(version, one);
        }
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
      known = { known: new Map(), accepted: new Set(), awaited: new Map(), held: new Map() };
      this.#accounts.set(account, known);
    }
    return known;
  }
}
