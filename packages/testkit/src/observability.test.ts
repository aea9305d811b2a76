/** What infra/observability watches exists: metrics of alerts and dashboards are metrics of the servers, and each alert has its page. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { parser } from '@prometheus-io/lezer-promql';
import { createMetrics } from '@sealwire/service/metrics';
import { parse } from 'yaml';

const root = new URL('../../../', import.meta.url);
const place = new URL('infra/observability/', root);
const textOf = (path: string) => readFileSync(new URL(path, root), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
}

const groups = parse(textOf('infra/observability/alerts.yaml')).groups as readonly {
  readonly rules: readonly Rule[];
}[];
const rules = groups.flatMap((group) => group.rules);

/** Series by the name that Prometheus has for them, with their labels; `up` is its own. */
const series = new Map<string, ReadonlySet<string>>([['up', new Set()]]);
for (const { name, type, labels } of createMetrics({ processMetrics: true }).descriptions()) {
  const names = type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
  for (const each of names) series.set(each, new Set([...labels, ...(each.endsWith('_bucket') ? ['le'] : [])]));
}
/** What Prometheus adds to each series. */
const ADDED = ['job', 'instance'];

/** What an expression asks for that no server has; a fault of its grammar is one too. Grafana's `$x` are values, and a duration. */
function faultsOf(expression: string): string[] {
  const text = expression.replaceAll('$__rate_interval', '5m');
  const faults: string[] = [];
  const asked: string[] = [];
  const known = new Set(ADDED);
  const labels: string[] = [];
  parser.parse(text).iterate({
    enter({ type, from, to }) {
      const found = text.slice(from, to);
      if (type.isError) faults.push(`no PromQL at ${from}: ${text}`);
      else if (type.name === 'Identifier') asked.push(found);
      else if (type.name === 'LabelName') labels.push(found);
    },
  });
  for (const name of asked) {
    if (!series.has(name)) faults.push(`no metric ${name}`);
    for (const label of series.get(name) ?? []) known.add(label);
  }
  if (asked.length === 0) faults.push(`no metric at all: ${text}`);
  return [...faults, ...labels.filter((label) => !known.has(label)).map((label) => `no label ${label}: ${text}`)];
}

describe('the check itself', () => {
  it.each([
    ['sealwire_relay_connection', ['no metric sealwire_relay_connection']],
    ['rate(sealwire_relay_delivery_latency_seconds[5m])', ['no metric sealwire_relay_delivery_latency_seconds']],
    ['sum by (account) (sealwire_ready)', ['no label account: sum by (account) (sealwire_ready)']],
    ['sealwire_ready{device="x"}', ['no label device: sealwire_ready{device="x"}']],
  ])('finds what is wrong with %s', (expression, faults) => expect(faultsOf(expression)).toEqual(faults));

  it('finds what is no PromQL', () => expect(faultsOf('sum by (sealwire_ready').join()).toContain('no PromQL'));
});

describe('infra/observability/alerts.yaml', () => {
  it('asks for metrics that servers have', () => {
    expect(rules.length).toBeGreaterThan(20);
    expect(rules.flatMap(({ expr }) => faultsOf(expr))).toEqual([]);
  });

  it('has a page for each alert, with its severity, and no page for another one', () => {
    const page = textOf('docs/operations/alerts.md');
    const described = [...page.matchAll(/^## (\w+)\n\n\*(\w+)\.\*/gm)].map(
      ([, name, severity]) => `${name} ${severity}`,
    );
    expect(described.sort()).toEqual(rules.map(({ alert, labels }) => `${alert} ${labels.severity}`).sort());
    for (const { alert, annotations } of rules)
      expect(annotations.runbook_url).toBe(`docs/operations/alerts.md#${alert.toLowerCase()}`);
  });

  it('has for each alert a case in which it fires, and one in which it is silent', () => {
    const { tests } = parse(textOf('infra/observability/alerts.test.yaml'));
    const cases = (tests as { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[]).flatMap(
      (test) => test.alert_rule_test,
    );
    const named = (fires: boolean) =>
      cases.filter(({ exp_alerts }) => exp_alerts.length > 0 === fires).map(({ alertname }) => alertname);
    const all = rules.map(({ alert }) => alert).sort();
    expect(named(true).sort()).toEqual(all);
    expect(named(false).sort()).toEqual(all);
  });

  const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
  (hasPromtool ? it : it.skip)('keeps its tests by promtool', () => {
    const tests = fileURLToPath(new URL('alerts.test.yaml', place));
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', tests], { encoding: 'utf8' });
    expect({ status, text: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, text: '' });
  });
});

describe('infra/observability/dashboards', () => {
  const folder = new URL('dashboards/', place);
  const files = readdirSync(folder).sort();

  it('are what dashboards.mjs makes', async () => {
    const { dashboards } = await import(pathToFileURL(fileURLToPath(new URL('dashboards.mjs', place))).href);
    const made = (dashboards() as [string, object][]).sort(([a], [b]) => (a < b ? -1 : 1));
    expect(files.map((name) => [name, JSON.parse(readFileSync(new URL(name, folder), 'utf8'))])).toEqual(made);
  });

  it.each(files)('%s asks for metrics that servers have', (name) => {
    const { panels } = JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
    const expressions = (panels as { targets: { expr: string }[] }[]).flatMap(({ targets }) =>
      targets.map(({ expr }) => expr),
    );
    expect(expressions.length).toBeGreaterThan(8);
    expect(expressions.flatMap(faultsOf)).toEqual([]);
  });

  it('show every metric of Sealwire, but for what is no curve', () => {
    const shown = files.map((name) => readFileSync(new URL(name, folder), 'utf8')).join();
    const alerted = rules.map(({ expr }) => expr).join();
    const watched = [...series.keys()]
      .filter((name) => name.startsWith('sealwire_'))
      .map((name) => name.replace(/_(?:bucket|sum|count)$/, ''));
    const unseen = [...new Set(watched)].filter((name) => !shown.includes(name) && !alerted.includes(name));
    // Of traces the log says that they do not arrive; under way is a number of a moment.
    expect(unseen).toEqual(['sealwire_http_requests_under_way', 'sealwire_trace_exports_total']);
  });
});
