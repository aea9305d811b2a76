/** `sealwire-load report`: shows a report again, and compares two. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Context } from '../context.ts';
import { compare, isWorse } from '../measuring/comparison.ts';
import { readReport } from '../measuring/report.ts';
import { comparisonHtml } from '../showing/comparison-html.ts';
import { comparisonTable } from '../showing/comparison-table.ts';
import { htmlOf } from '../showing/html.ts';
import { tableOf } from '../showing/table.ts';
import { write } from './write.ts';

interface DiffOptions {
  readonly allow: number;
  readonly json?: boolean;
  readonly html?: string;
}

export function reportCommand({ surroundings, end }: Context): Command {
  const { stdout } = surroundings;
  const diff = new Command('diff')
    .description('what is another in the second report; exit code 4 when something is worse')
    .argument('<before>', 'a report, as --out writes it')
    .argument('<after>', 'another')
    .addOption(new Option('--allow <percent>', 'how much worse a figure may be').argParser(percentIn).default(10))
    .option('--json', 'as JSON')
    .option('--html <file>', 'as one HTML file with plots, too')
    .action((beforeFile: string, afterFile: string, { allow, json, html }: DiffOptions) => {
      const [before, after] = [readReport(beforeFile), readReport(afterFile)];
      const lines = compare(before, after);
      if (html !== undefined) write('--html', html, comparisonHtml(before, after, lines, allow));
      stdout.write(json ? `${JSON.stringify(lines)}\n` : comparisonTable(lines, allow));
      if (lines.some((line) => isWorse(line, allow))) end('threshold');
    });
  return new Command('report')
    .description('shows a report again')
    .enablePositionalOptions()
    .argument('<file>', 'a report, as --out writes it')
    .option('--html <file>', 'as one HTML file with plots')
    .action((file: string, { html }: { readonly html?: string }) => {
      const report = readReport(file);
      if (html === undefined) return void stdout.write(tableOf(report));
      write('--html', html, htmlOf(report));
    })
    .addCommand(diff);
}

function percentIn(text: string): number {
  const value = Number(text);
  if (!/^\d{1,6}(\.\d+)?$/.test(text)) throw new InvalidArgumentError(`not a percentage: "${text}"; write it like 10`);
  return value;
}
