/** What was queued during one turn of the event loop, written at its end (performance, trick 1). */

export interface Flushable {
  flush(): void;
}

export class Turn {
  private waiting: Flushable[] = [];
  private scheduled = false;
  private ended = 0;

  /** Of this turn: another one than that of any other turn in which it was asked for. */
  get number(): number {
    this.schedule();
    return this.ended;
  }

  add(item: Flushable): void {
    this.waiting.push(item);
    this.schedule();
  }

  /** Writes now: for a turn that knows that it is complete. */
  flush(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const item of waiting) item.flush();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.end);
  }

  private readonly end = (): void => {
    this.scheduled = false;
    this.ended++;
    this.flush();
  };
}
