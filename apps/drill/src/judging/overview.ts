/** What was done in a drill, in words: how long, by whom, and how its storms went. */
import type { HistoryEvent } from '../history/events.ts';

export class Overview {
  #settings: Readonly<Record<string, unknown>> = {};
  #begins: number | undefined;
  #newest = 0;
  readonly #storms: Extract<HistoryEvent, { event: 'storm' }>[] = [];

  take(event: HistoryEvent): void {
    this.#begins ??= event.at;
    this.#newest = event.at;
    if (event.event === 'begin') this.#settings = event.settings;
    else if (event.event === 'storm') this.#storms.push(event);
  }

  /** One line, and one more where there were storms. */
  lines(): string[] {
    const minutes = ((this.#newest - (this.#begins ?? this.#newest)) / 60_000).toFixed(1);
    const { faults: _named, minutes: _asked, ...others } = this.#settings;
    const settings = Object.entries(others).map(([name, value]) => `, ${name} ${value}`);
    const worst = this.#storms.toSorted((a, b) => a.back - a.sockets - (b.back - b.sockets) || b.ms - a.ms)[0];
    return [
      `${minutes} minutes${settings.join('')}`,
      ...(worst
        ? [
            `storms ${this.#storms.length}; worst: ${worst.back} of ${worst.sockets} sockets back in ${(worst.ms / 1_000).toFixed(1)} s`,
          ]
        : []),
    ];
  }
}
