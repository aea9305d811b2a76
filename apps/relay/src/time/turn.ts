/** What was queued during one turn of the event loop, written at its end (performance, trick 1). */

export interface Flushable {
  flush(): void;
}

export class Turn {
  private waiting: Flushable[] = [];
  private scheduled = false;
  /** Turns that wrote something and have ended: what is counted a turn begins anew when this has grown. */
  ended = 0;

  add(item: Flushable): void {
    this.waiting.push(item);
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.end);
  }

  /** Writes now: for a turn that knows that it is complete. */
  flush(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const item of waiting) item.flush();
  }

  private readonly end = (): void => {
    this.scheduled = false;
    this.ended++;
    this.flush();
  };
}
