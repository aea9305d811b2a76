/**
 * What every adapter of the store must do, as tests: an adapter's test file calls `storeContract` and adds
 * nothing but its own faults. Each part is in a file of its own under `contract/`. The tests name accounts,
 * devices and keys of their own each time, so that one database may serve all of them, again and again.
 */
import { describe } from '@jest/globals';
import { accountRecordsContract } from './contract/account-records.ts';
import { accountsContract } from './contract/accounts.ts';
import { acknowledgeContract } from './contract/acknowledge.ts';
import { appPasswordsContract } from './contract/app-passwords.ts';
import { appendContract } from './contract/append.ts';
import { attachmentsContract } from './contract/attachments.ts';
import { devicesContract } from './contract/devices.ts';
import type { OpenStore } from './contract/fixture.ts';
import { interruptionContract } from './contract/interruption.ts';
import { lifeContract } from './contract/life.ts';
import { lossContract } from './contract/loss.ts';
import { manifestsContract } from './contract/manifests.ts';
import { modelContract } from './contract/model.ts';
import { nesUsersContract } from './contract/nes-users.ts';
import { accountPagesContract, auditTrailContract, operatorRecordsContract } from './contract/operator.ts';
import { prekeysContract } from './contract/prekeys.ts';
import { readContract } from './contract/read.ts';
import { resetsContract } from './contract/resets.ts';
import { unfinishedContract } from './contract/unfinished.ts';
import { waitingContract } from './contract/waiting.ts';

/** Registers the suite. `open` gives a store in which nobody else is at work; `sequences`: how many the model tries. */
export function storeContract(name: string, open: OpenStore, sequences?: number): void {
  describe(`store contract: ${name}`, () => {
    accountsContract(open);
    unfinishedContract(open);
    resetsContract(open);
    manifestsContract(open);
    devicesContract(open);
    prekeysContract(open);
    waitingContract(open);
    appPasswordsContract(open);
    attachmentsContract(open);
    accountRecordsContract(open);
    nesUsersContract(open);
    accountPagesContract(open);
    operatorRecordsContract(open);
    auditTrailContract(open);
    appendContract(open);
    readContract(open);
    acknowledgeContract(open);
    lossContract(open);
    modelContract(open, sequences);
    interruptionContract(open);
    lifeContract(open);
  });
}
