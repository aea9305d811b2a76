/** `sealwire-server doctor`. */
import { processSources } from '@sealwire/service/config';
import { processOutput } from '../output.ts';
import { doctor } from './doctor.ts';
import { systemMeans } from './means.ts';

process.exitCode = await doctor(processSources(), systemMeans, processOutput);
