/**
 * What a drill writes down: only what clients sent, were told and got, and what was done to the servers. One JSON object a line;
 * `at` is ms since 1970 by the drill's own clock, which never steps. Ids of messages and digests are base64url.
 */

export type HistoryEvent = { readonly at: number } & (
  | { readonly event: 'begin'; readonly settings: Readonly<Record<string, unknown>> }
  /** The device of a client, from now on in its account's list with its keys published. */
  | {
      readonly event: 'device';
      readonly device: string;
      readonly account: string;
      /** Where its client is at home; not there: there is one place alone. */
      readonly region?: string;
    }
  /** Whether its client is connected. */
  | { readonly event: 'connection'; readonly device: string; readonly state: string }
  /** It is taken out of its account, and gets nothing any more. */
  | { readonly event: 'device-leaves'; readonly device: string }
  /** An application wrote. `number` counts what `from` wrote to `to`, from 1. */
  | {
      readonly event: 'send';
      readonly id: string;
      readonly from: string;
      readonly to: string;
      readonly number: number;
    }
  /** The application was told that the server has it. */
  | { readonly event: 'accepted'; readonly id: string; readonly leftOut: readonly string[] }
  /** An application got it on `device`. `to`: the account it was written to. */
  | {
      readonly event: 'received';
      readonly id: string;
      readonly device: string;
      readonly from: string;
      readonly to: string;
      readonly number: number;
    }
  /** A frame left for the relay. */
  | {
      readonly event: 'frame-sent';
      readonly id: string;
      readonly device: string;
      readonly recipients: readonly string[];
    }
  | { readonly event: 'frame-accepted'; readonly id: string; readonly device: string }
  /** The relay has no room for it in these mailboxes. */
  | {
      readonly event: 'frame-left-out';
      readonly id: string;
      readonly device: string;
      readonly devices: readonly string[];
    }
  /** `link` counts the connections of `device`, from 1. */
  | {
      readonly event: 'delivered';
      readonly device: string;
      readonly seq: number;
      readonly from: string;
      readonly id: string;
      readonly link: number;
    }
  | { readonly event: 'acknowledged'; readonly device: string; readonly upTo: number }
  /** A one-time key that the directory handed out. */
  | { readonly event: 'key'; readonly device: string; readonly suite: string; readonly key: string }
  /** `device` is about to publish these one-time keys; also at every further attempt. */
  | {
      readonly event: 'keys-published';
      readonly device: string;
      readonly suite: string;
      readonly keys: readonly string[];
    }
  /** The directory took a list of devices. */
  | {
      readonly event: 'manifest-accepted';
      readonly account: string;
      readonly version: number;
      readonly digest: string;
    }
  /** The newest list that the directory showed to a request of the time `asked`. */
  | {
      readonly event: 'manifest-read';
      readonly account: string;
      readonly version: number;
      readonly digest: string;
      readonly asked: number;
    }
  /** The directory said to a request of the time `asked` that there is no account of this name. */
  | { readonly event: 'manifest-missing'; readonly name: string; readonly asked: number }
  /** At the end, from the directory's history of the account. */
  | { readonly event: 'manifest-held'; readonly account: string; readonly version: number; readonly digest: string }
  /** A client told its application of something out of the ordinary. */
  | { readonly event: 'told'; readonly device: string; readonly what: string; readonly detail: string }
  /** A client told its application that a listed device does not get message `id`: `device-skipped` of the SDK. */
  | {
      readonly event: 'device-skipped';
      readonly device: string;
      readonly id: string;
      readonly skipped: string;
      readonly reason: string;
    }
  /** `detail`: why it could not be lifted, or what did not come back. */
  | {
      readonly event: 'fault';
      readonly fault: string;
      readonly phase: 'begins' | 'lifted' | 'over' | 'not-recovered';
      readonly detail?: string;
      /** That it harms, when it begins. */
      readonly region?: string;
    }
  | { readonly event: 'storm'; readonly sockets: number; readonly back: number; readonly ms: number }
  /** A backup begins: what was accepted before is in it. */
  | { readonly event: 'backup' }
  /** No server runs, and they will find the newest backup instead of what they had. */
  | { readonly event: 'restored' }
  /** All that was to arrive had its time: what is missing now is lost. */
  | { readonly event: 'end' }
);

/** Without its time. */
export type Happening = HistoryEvent extends infer E ? (E extends HistoryEvent ? Omit<E, 'at'> : never) : never;

/** Every kind there is: what a checker does not know, it must not pass over. */
export const EVENTS: Readonly<Record<HistoryEvent['event'], true>> = {
  begin: true,
  device: true,
  connection: true,
  'device-leaves': true,
  send: true,
  accepted: true,
  received: true,
  'frame-sent': true,
  'frame-accepted': true,
  'frame-left-out': true,
  delivered: true,
  acknowledged: true,
  key: true,
  'keys-published': true,
  'manifest-accepted': true,
  'manifest-read': true,
  'manifest-missing': true,
  'manifest-held': true,
  told: true,
  'device-skipped': true,
  fault: true,
  storm: true,
  backup: true,
  restored: true,
  end: true,
};
