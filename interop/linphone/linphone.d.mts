/** The folder of the programs, or why there is none. */
export type FoundLinphone = { readonly path: string } | { readonly missing: string };

/** The folder of both programs where it was built before, or with `LINPHONE_PEER=1`, which builds it. */
export function findLinphone(): FoundLinphone;

/** Kamailio as SIP registrar and proxy of example.org, over TCP on a free port of the loopback. */
export class Registrar {
  readonly port: number;
  /** `folder`: for its sockets. */
  static start(kit: string, folder: string): Promise<Registrar>;
  stop(): Promise<void>;
}

export interface LinphoneSettings {
  /** Where it keeps all that it has; another start there goes on with it. */
  readonly folder: string;
  /** Of the account, in example.org. */
  readonly name: string;
  /** Of the device: the `gr` of its id. */
  readonly uuid: string;
  readonly sipPort: number;
  /** Default: this machine. */
  readonly sipHost?: string;
  /** Absent: no encryption. */
  readonly lime?: {
    readonly server: string;
    readonly curve: 'c25519' | 'c448';
    readonly realm: string;
    readonly password: string;
  };
  /** A conference server instead of a person's Linphone. */
  readonly isFocus?: boolean;
  /** A file for liblinphone's own log. */
  readonly log?: string;
}

/** README.md has the events; `state` comes without liblinphone's prefix, e.g. `Displayed`. */
export interface LinphoneEvent {
  readonly event: string;
  readonly [field: string]: string | boolean | undefined;
}

/** One Linphone of one person, or a conference server, as a process. */
export class Linphone {
  constructor(kit: string, settings: LinphoneSettings);
  /** What it told of and nobody has asked for yet. */
  readonly events: readonly LinphoneEvent[];
  /** A command (README.md). */
  tell(line: string): void;
  /** The first event with these fields, now or later, and forgets it. Rejects when it does not come within 30 s. */
  next(event: string, fields?: Readonly<Record<string, string | boolean>>): Promise<LinphoneEvent>;
  /** Asks it to end, and ends it if it does not. */
  quit(): Promise<void>;
}
