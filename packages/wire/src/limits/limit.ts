/** What a limit is, and the units that values are made of. */
export interface Limit {
  readonly value: number;
  readonly unit:
    | 'bytes'
    | 'ms'
    | 'messages'
    | 'keys'
    | 'devices'
    | 'requests'
    | 'frames'
    | 'frames/s'
    | 'logins'
    | 'sockets/s'
    | 'entries';
  readonly why: string;
}

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const DAY = 24 * 60 * MINUTE;
