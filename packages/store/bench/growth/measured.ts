/** What `measure.ts` says of a store, and `growth.ts` shows. */

export const OPERATIONS = ['append', 'append to all', 'read', 'acknowledge', 'find device', 'claim'] as const;
export type Operation = (typeof OPERATIONS)[number];

export interface Cost {
  /** µs of processor time an operation, of the process and of those that are watched. */
  readonly cpuUs: number;
  readonly wallUs: number;
}

/** MiB: of its own, and of files that are mapped. */
export interface Memory {
  readonly own: number;
  readonly mapped: number;
}

export interface Measured {
  /** From opening to the first device found. */
  readonly startMs: number;
  readonly startCpuMs: number;
  /** After opening, and after the rounds, the small store's included. */
  readonly memory: { readonly opened: Memory; readonly used: Memory };
  /** Means of the rounds, both stores' by turns. */
  readonly costs: Readonly<Record<Operation, Cost>>;
  readonly small: Readonly<Record<Operation, Cost>>;
}

/** CPU of the one to that of the small one. */
export function ratioOf({ costs, small }: Measured, operation: Operation): number {
  return costs[operation].cpuUs / small[operation].cpuUs;
}
