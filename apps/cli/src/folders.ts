/** Where things lie: the XDG base directories. Configuration in one folder, one data folder a profile. */
import { isAbsolute, join } from 'node:path';
import type { Surroundings } from './surroundings.ts';

export interface Folders {
  /** `~/.config/sealwire/config.toml` */
  readonly configFile: string;
  /** `~/.local/share/sealwire`: one folder a profile. */
  readonly profiles: string;
  /** `~/.local/share/sealwire-nes`: one folder a user of NES. Beside the others: a profile may have any of their names. */
  readonly nesProfiles: string;
}

export function foldersOf({ env, home }: Pick<Surroundings, 'env' | 'home'>): Folders {
  return {
    configFile: join(base(env.XDG_CONFIG_HOME, home, '.config'), 'sealwire', 'config.toml'),
    nesProfiles: join(base(env.XDG_DATA_HOME, home, '.local/share'), 'sealwire-nes'),
    profiles: join(base(env.XDG_DATA_HOME, home, '.local/share'), 'sealwire'),
  };
}

/** The specification has relative values ignored. */
function base(value: string | undefined, home: string, fallback: string): string {
  return value && isAbsolute(value) ? value : join(home, fallback);
}
