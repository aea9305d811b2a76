// Jest's reporter of a mutation run: the first test that fails ends it, at once, since the next one may never end. The last line of the
// output is the verdict (jest-run.ts).
import { writeSync } from 'node:fs';

const STDOUT = 1;

export default class FirstFailure {
  onTestCaseResult(test, { status, fullName }) {
    if (status === 'failed') this.#end({ killedBy: fullName, in: test.path });
  }

  onTestResult(test, { testExecError }) {
    if (testExecError) this.#end({ killedBy: 'a file that cannot be loaded', in: test.path });
  }

  onRunComplete(_contexts, { numPassedTests }) {
    writeSync(STDOUT, `${JSON.stringify({ passed: numPassedTests })}\n`);
  }

  #end(verdict) {
    writeSync(STDOUT, `${JSON.stringify(verdict)}\n`);
    process.exit(1);
  }
}
