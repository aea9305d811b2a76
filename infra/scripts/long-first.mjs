// The order of the test files: Jest goes by size where it has not seen them run, and what takes minutes would be left for one worker at the end.
import sequencer from '@jest/test-sequencer';

/** What takes more than half a minute, by the end of its path. */
const LONG = [
  'packages/store/src/mongo.test.ts',
  'packages/testkit/src/real-linphone.test.ts',
  'packages/testkit/src/openapi-tools.test.ts',
  'apps/drill/src/cluster/cluster.test.ts',
  'apps/drill/src/cluster/regions.test.ts',
  'packages/testkit/src/faults.test.ts',
  'packages/testkit/src/clocks.test.ts',
  'packages/testkit/src/readme.test.ts',
  'apps/load/src/load-page.test.ts',
  'apps/cli/src/conversation.test.ts',
];

export default class LongFirst extends sequencer {
  sort(tests) {
    const place = ({ path }) => {
      const found = LONG.findIndex((end) => path.endsWith(end));
      return found < 0 ? LONG.length : found;
    };
    return super.sort(tests).toSorted((one, other) => place(one) - place(other));
  }
}
