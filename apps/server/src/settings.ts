/** The settings of `all`: those of the three servers, said once. Where one has what another publishes, it is not asked for. */
import { apiSettings } from '@sealwire/api/settings';
import { DIRECTORY_SETTINGS } from '@sealwire/directory/settings';
import { RELAY_CONFIG } from '@sealwire/relay/config';
import { setting } from '@sealwire/service/config';
import { listenAddress } from '@sealwire/service/settings';

export const allSettings = apiSettings.extend({
  LISTEN: setting(listenAddress(), { about: 'Where this server listens, `HOST:PORT`.', default: '127.0.0.1:8080' }),
  ...DIRECTORY_SETTINGS,
  ...RELAY_CONFIG,
});
