/** One member of a conversation, with whatever cryptography. */

export interface MemberEvents {
  /** A message with `header` bytes has come from `device`. */
  received(device: string, header: Uint8Array): void;
  accepted(number: number): void;
  /** The server does not take it; `code` of its error table. */
  refused(number: number, code: string): void;
  /** It has no room for it at so many devices. */
  leftOut(number: number, devices: readonly string[]): void;
}

export interface Member {
  /** The device's id. */
  readonly device: string;
  readonly isOnline: boolean;
  open(): Promise<void>;
  /** To all the others. `header` as `payload.ts` has it; the filling is the member's. */
  send(number: number, header: Uint8Array): void;
  /** Rejects when what is under way could not be brought to its end. */
  close(): Promise<void>;
}
