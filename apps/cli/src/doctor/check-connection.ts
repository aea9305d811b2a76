/** Do the keys open, does the server take our login, does its key directory hold our keys, and does the relay let us in? */
import type { KeysFinding } from '@sealwire/client/engine';
import type { Unread } from '@sealwire/client/events';
import { accountOf } from '@sealwire/wire/ids';
import { type ProfileContext, UnfinishedError, withClient } from '../context.ts';
import { type Ending, endingOf } from '../exit-codes.ts';
import { wayOutOf, whatOf } from '../output.ts';
import type { Finding } from './finding.ts';

const PATIENCE_MS = 10_000;

const FIXES = {
  authentication: 'give the right passphrase',
  locked: 'end that process, or look again when it has ended',
  usage: 'give a passphrase: --passphrase-file, --passphrase-fd or SEALWIRE_PASSPHRASE_FILE',
  damaged:
    'join as a new device in an empty folder and remove this one (sealwire devices); an older copy of the folder would use keys twice',
  offline: 'look whether a proxy lets WebSockets pass on /relay',
} as const;

/** What differed is mended by now, but for an identity key. */
function judge(found: readonly KeysFinding[]): Finding {
  if (found.length === 0) return { name: 'prekeys', detail: 'the key directory holds what it should' };
  const detail = found
    .map(({ suite, part, mended }) => `${suite}: ${part} ${mended ? 'mended' : 'differs'}`)
    .join(', ');
  if (found.every(({ mended }) => mended)) return { name: 'prekeys', detail };
  const fix =
    'ask the operator why the server shows another identity key for this device; until then trust no new contact';
  return { name: 'prekeys', detail, fix };
}

function fixOf(error: unknown, ending: Ending): string {
  if (error instanceof UnfinishedError) return error.wayOn;
  return wayOutOf(error) ?? (FIXES as Partial<Record<Ending, string>>)[ending] ?? "look at the server's log";
}

/** What could not be read has been asked for; who has not answered may have been away. */
function judgeSessions(unread: readonly Unread[]): Finding {
  const [first] = unread;
  if (!first) return { name: 'sessions', detail: 'nothing is left that could not be read' };
  const messages = unread.reduce((sum, each) => sum + each.messages, 0);
  const detail = `${messages} message(s) of ${unread.length} device(s) could not be read, and have not come again`;
  return { name: 'sessions', detail, fix: `run sealwire sessions reset -t ${accountOf(first.device)}` };
}

export async function checkConnection(context: ProfileContext): Promise<Finding[]> {
  const findings: Finding[] = [];
  let step = 'login';
  try {
    await withClient(context, async (client) => {
      const devices = await client.devices.list();
      findings.push({ name: 'login', detail: `${client.address}, ${devices.length} device(s)` });
      step = 'prekeys';
      findings.push(judge(await client.devices.checkKeys()));
      findings.push(judgeSessions(client.sessions.unread()));
      step = 'relay';
      await client.connect({ signal: AbortSignal.timeout(PATIENCE_MS) });
      findings.push({ name: 'relay', detail: `connected; ${client.outbox.pending()} message(s) in the outbox` });
    });
  } catch (error) {
    const ending = step === 'relay' && endingOf(error) === 'interrupted' ? 'offline' : endingOf(error);
    const fix = fixOf(error, ending);
    const detail = ending === 'offline' ? `no connection within ${PATIENCE_MS / 1_000} s` : whatOf(error);
    findings.push({ name: step, detail, fix });
  }
  return findings;
}
