// `npm run demo`: builds, then plays a story with a real server and real command lines. Exit code 0 only if all of it held.
import { build } from './build.mjs';
import { play } from './demo/story.mjs';

build(['@sealwire/solo', '@sealwire/cli']);
process.exitCode = await play();
