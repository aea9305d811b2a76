/** No encryption, for conversations that chose it: whoever runs or breaks into the server reads them, and may write in anybody's name. */
import { callbackEngine } from './callback-engine.ts';
import type { EngineFactory } from './engine.ts';

export const plainEngine: EngineFactory = () =>
  callbackEngine({
    id: 'plain',
    mustBeChosen: true,
    processOutgoing: (message) => message,
    processIncoming: (message) => message,
  });
