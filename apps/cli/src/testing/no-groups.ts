/** A client without groups, for what is shown of events. */
import { ClientError } from '@sealwire/client/errors';

export const NO_GROUPS = {
  info: (): never => {
    throw new ClientError('no-such-group', 'there is no such group here');
  },
};
