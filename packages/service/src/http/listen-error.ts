/** What the operator reads when an address cannot be had. */
import { ConfigError } from '../boot/config.ts';
import type { ListenAddress } from '../boot/settings.ts';

export type ListenSetting = 'LISTEN' | 'METRICS_LISTEN' | 'ADMIN_LISTEN';

/** One line with the fix, about the setting that names the address. */
export function listenError(
  error: NodeJS.ErrnoException,
  setting: ListenSetting,
  { host, port }: ListenAddress,
): ConfigError {
  const value = `${host}:${port}`;
  const flag = `--${setting.toLowerCase().replace('_', '-')}`;
  if (error.code === 'EADDRINUSE')
    return new ConfigError(
      setting,
      `${value} is in use by another process`,
      `stop it, or choose another port with ${flag} ${host}:${port + 1}`,
    );
  if (error.code === 'EACCES')
    return new ConfigError(
      setting,
      `${value} needs privileges that this process does not have`,
      'choose a port from 1024 up, and put a proxy in front',
    );
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new ConfigError(
      setting,
      `this machine has no address ${host}`,
      'use 127.0.0.1 (this machine only) or 0.0.0.0 (all addresses)',
    );
  return new ConfigError(setting, `${value} cannot be opened (${error.code ?? error.name})`, 'choose another address');
}
