/** The table of a drill: what each fault cost, and what was proved. Markdown, to be put into a page as it is. */
import type { Checker, Verdict } from './checker.ts';
import { OFFENCES, type Offence, type OffenceKind } from './offences.ts';
import type { Overview } from './overview.ts';
import type { Felt, Recovery } from './recovery.ts';
import type { Quantiles, RegionFigures, RegionTimes } from './regions.ts';

const MAX_EXAMPLES = 5;
const NONE = '–';

export interface Report {
  readonly text: string;
  /** 0: every promise was kept. 1: not. */
  readonly exitCode: 0 | 1;
}

export function report(checker: Checker, recovery: Recovery, overview: Overview, regions: RegionTimes): Report {
  const verdict = checker.verdict();
  const felt = recovery.felt();
  const prose = [...overview.lines(), ...totals(verdict, felt), ...examples(verdict.offences)];
  const lines = [...table(felt, verdict.offences), '', ...regionTable(regions.figures()), '```', ...prose, '```'];
  return { text: `${lines.join('\n')}\n`, exitCode: verdict.offences.length === 0 ? 0 : 1 };
}

function table(felt: readonly Felt[], offences: readonly Offence[]): string[] {
  const names = [...new Set(felt.map(({ fault }) => fault))];
  const rows = names.map((name) => {
    const times = felt.filter(({ fault }) => fault === name);
    const within = (kinds: readonly OffenceKind[]) =>
      offences.filter(
        ({ kind, at }) =>
          kinds.includes(kind) &&
          times.some(({ begins, over = Number.POSITIVE_INFINITY }) => begins <= at && at <= over),
      ).length;
    const worst = (figure: (one: Felt) => number) => seconds(Math.max(...times.map(figure)));
    const lasted = worst(({ begins, lifted = begins }) => lifted - begins);
    const sent = times.reduce((sum, one) => sum + one.sent, 0);
    const cells = [
      name,
      times.length,
      lasted,
      sent,
      worst(({ longestWaitMs }) => longestWaitMs),
      worst(({ recoveryMs }) => recoveryMs),
      within(['lost']),
      within(['doubled']),
      within(['reordered']),
      within(
        (Object.keys(OFFENCES) as OffenceKind[]).filter((kind) => !['lost', 'doubled', 'reordered'].includes(kind)),
      ),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| fault | times | lasted, s | messages | longest wait, s | recovered after, s | lost | doubled | reordered | other |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
  ];
}

function regionTable(figures: readonly RegionFigures[]): string[] {
  if (figures.length === 0) return [];
  const rows = figures.map(({ fault, silenceMs, otherSilenceMs, acrossAfterMs, before, during, after }) => {
    const elsewhere = otherSilenceMs === undefined ? NONE : seconds(otherSilenceMs);
    const times = [before, during, after].map(across);
    return `| ${[fault, seconds(silenceMs), elsewhere, seconds(acrossAfterMs), ...times].join(' | ')} |`;
  });
  return [
    '| fault | none accepted there for, s | elsewhere, s | across slow after it for, s | across before, s: half, 99 of 100 | during | after |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
  ];
}

function across(times: Quantiles | undefined): string {
  if (!times) return NONE;
  return [times.p50, times.p99].map((ms) => (ms / 1_000).toFixed(2)).join(', ');
}

function totals({ offences, counts }: Verdict, felt: readonly Felt[]): string[] {
  const of = (kind: OffenceKind) => offences.filter((offence) => offence.kind === kind).length;
  const told = Object.entries(counts.told).map(([what, times]) => `${what} ${times}`);
  return [
    `messages ${counts.sent}, accepted ${counts.accepted}, received ${counts.received}; ` +
      `frames ${counts.frames}, deliveries ${counts.deliveries} (${counts.repeats} repeats), acknowledgements ${counts.acknowledgements}; ` +
      `one-time keys ${counts.keys}, lists of devices ${counts.manifests}`,
    `left out for want of room ${counts.leftOut}; faults ${felt.length}; worst recovery ${seconds(Math.max(0, ...felt.map(({ recoveryMs }) => recoveryMs)))} s`,
    ...(counts.restores === 0
      ? []
      : [
          `restores ${counts.restores}; accepted after the backup and gone ${counts.gone} (messages by device); lists of devices given back ${counts.givenBack}`,
        ]),
    ...(told.length === 0 ? [] : [`told to applications: ${told.join(', ')}`]),
    (Object.keys(OFFENCES) as OffenceKind[]).map((kind) => `${kind} ${of(kind)}`).join(', '),
  ];
}

function examples(offences: readonly Offence[]): string[] {
  return (Object.keys(OFFENCES) as OffenceKind[]).flatMap((kind) => {
    const found = offences.filter((offence) => offence.kind === kind);
    if (found.length === 0) return [];
    const shown = found.slice(0, MAX_EXAMPLES).map(({ at, text }) => `  ${new Date(at).toISOString()} ${text}`);
    return [
      '',
      `${kind} (${OFFENCES[kind]}):`,
      ...shown,
      ...(found.length > MAX_EXAMPLES ? [`  and ${found.length - MAX_EXAMPLES} more`] : []),
    ];
  });
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}
