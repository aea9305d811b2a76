/** Tells a person who chats or listens when the server goes away, and when it is back. Nothing is said while all is well. */
import type { ConnectionState } from '@sealwire/client/events';

export const AWAY = 'the server does not answer: nothing is lost, and what you write is sent when it is back';
export const BACK = 'connected again';

/** A listener for `Client.onState`: one note for each loss of the connection, however many attempts it takes to come back. */
export function connectionNotes(note: (text: string) => void): (state: ConnectionState) => void {
  let before: ConnectionState = 'offline';
  let away = false;
  return (state) => {
    if (before === 'online' && state === 'connecting') {
      away = true;
      note(AWAY);
    } else if (away && state === 'online') {
      away = false;
      note(BACK);
    }
    before = state;
  };
}
