/** Whether a drill of several servers can run here: root, engines that are built (infra/engines/for-tests.sh up), nginx, redis-server. */
import { spawnSync } from 'node:child_process';
import { builtEngines } from '../cluster/engines.ts';

const has = (program: string, word: string) => spawnSync(program, [word]).status === 0;

export const canRunCluster =
  process.getuid?.() === 0 && builtEngines() !== undefined && has('nginx', '-v') && has('redis-server', '--version');
