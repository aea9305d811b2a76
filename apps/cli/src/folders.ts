/** Where things lie: the XDG base directories. Configuration in one folder, one data folder a profile. */
import { isAbsolute, join } from 'node:path';
import type { Surroundings } from './surroundings.ts';

export interface Folders {
  /** `~/.config/sealwire/config.toml` */
  readonly configFile: string;
  /** `~/.local/share/sealwire`: one folder a profile. */
  readonly profiles: string;
}

export function foldersOf({ env, home }: Pick<Surroundings, 'env' | 'home'>): Folders {
  return {
    configFile: join(base(env.XDG_CONFIG_HOME, home, '.config'), 'sealwire', 'config.toml'),
    profiles: join(base(env.XDG_DATA_HOME, home, '.local/share'), 'sealwire'),
  };
}

/** The specification has relative values ignored. */
function base(value: string | undefined, home: string, fallback: string): string {
  return value && isAbsolute(value) ? value : join(home, fallback);
}
