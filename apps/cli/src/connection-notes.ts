/** Tells a person who chats or listens when the server cannot be reached, and when it is back. Nothing is said while all is well. */
import type { ConnectionState } from '@sealwire/client/events';
import type { TraceEvent } from '@sealwire/client/runtime';
import { reasonOfCode } from './network-reason.ts';

export const AWAY = 'the server does not answer: nothing is lost, and what you write is sent when it is back';
export const BACK = 'connected again';
export const CONNECTED = 'connected';

export interface ConnectionNotes {
  /** For `Client.onState`. */
  state(state: ConnectionState): void;
  /** For `ClientRuntime.trace`. */
  trace(event: TraceEvent): void;
}

/** One note for each time without the server, however many attempts it takes, and one for its end. */
export function connectionNotes(note: (text: string) => void): ConnectionNotes {
  let wasOnline = false;
  let away = false;
  const leave = (text: string) => {
    if (away) return;
    away = true;
    note(text);
  };
  let before: ConnectionState = 'offline';
  return {
    state(state) {
      if (before === 'online' && state === 'connecting') leave(AWAY);
      else if (state === 'online') {
        if (away) note(wasOnline ? BACK : CONNECTED);
        away = false;
        wasOnline = true;
      }
      before = state;
    },
    trace({ name, code, cause, reason }) {
      if (wasOnline || (name !== 'login-failed' && name !== 'link-closed')) return;
      const why = reasonOfCode(cause as string | undefined) ?? (reason || code);
      leave(`no connection so far (${why}): trying again until you stop it`);
    },
  };
}
