// Dashboards as a page, without Grafana: `node infra/observability/render.mjs http://127.0.0.1:9090 15m page.html [NAME …]` asks Prometheus
// what each panel of dashboards/NAME.json asks, and draws it. For the picture of docs/operations/observability.md, and for a look where there
// is no Grafana; a browser makes the picture (`chromium --headless --screenshot`).
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const [prometheus, span = '15m', output = 'dashboards.html', ...names] = process.argv.slice(2);
if (!prometheus || !/^\d+[mh]$/.test(span)) {
  console.error('render.mjs: needs the address of Prometheus and a time like 15m');
  process.exit(2);
}

const folder = new URL('./dashboards/', import.meta.url);
const files = names.length > 0 ? names.map((name) => `${name}.json`) : readdirSync(folder);
const seconds = Number.parseInt(span, 10) * (span.endsWith('h') ? 3_600 : 60);
const end = Math.floor(Date.now() / 1_000);
const step = Math.max(5, Math.round(seconds / 120));

/** Series of an expression, as `[seconds, value]`, with their legends. */
async function ask({ expr, legendFormat }) {
  const query = expr
    .replaceAll('$__rate_interval', `${Math.max(30, 4 * step)}s`)
    .replaceAll(/"\$(?:job|instance)"/g, '".*"');
  const url = new URL('/api/v1/query_range', prometheus);
  url.search = new URLSearchParams({ query, start: end - seconds, end, step }).toString();
  const answer = await (await fetch(url)).json();
  if (answer.status !== 'success') throw new Error(`${answer.error}: ${query}`);
  return answer.data.result.map(({ metric, values }) => ({
    legend: legendFormat.replaceAll(/\{\{(\w+)\}\}/g, (_, label) => metric[label] ?? ''),
    points: values.map(([at, value]) => [at, Number(value)]).filter(([, value]) => Number.isFinite(value)),
  }));
}

const UNITS = {
  s: (value) => (value >= 1 || value === 0 ? `${round(value)} s` : `${round(value * 1_000)} ms`),
  bytes: (value) => (value >= 2 ** 20 ? `${round(value / 2 ** 20)} MiB` : `${round(value / 2 ** 10)} KiB`),
  percentunit: (value) => `${round(value * 100)} %`,
  short: round,
  ops: (value) => `${round(value)}/s`,
  reqps: (value) => `${round(value)}/s`,
};

function round(value) {
  return String(Number(value.toPrecision(3)));
}

const COLOURS = ['#3274d9', '#e0752d', '#299c46', '#a352cc', '#c4162a', '#0a9396', '#b8860b', '#555'];
const [WIDTH, HEIGHT, LEFT, TOP] = [400, 150, 62, 8];

function drawing({ title, fieldConfig }, series) {
  const say = UNITS[fieldConfig.defaults.unit] ?? round;
  const seen = series.filter(({ points }) => points.length > 0);
  const most = Math.max(...seen.flatMap(({ points }) => points.map(([, value]) => value)), 0) || 1;
  const x = (at) => LEFT + ((at - (end - seconds)) / seconds) * (WIDTH - LEFT - 6);
  const y = (value) => TOP + (1 - value / most) * (HEIGHT - TOP - 18);
  const lines = seen.map(
    ({ points }, index) =>
      `<polyline fill="none" stroke="${COLOURS[index % COLOURS.length]}" stroke-width="1.5" points="${points
        .map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`)
        .join(' ')}"/>`,
  );
  const grid = [0, 0.5, 1].map((part) => {
    const at = y(part * most).toFixed(1);
    const label = say(part * most);
    return `<line x1="${LEFT}" x2="${WIDTH - 6}" y1="${at}" y2="${at}" stroke="#ddd"/><text x="${LEFT - 5}" y="${at}" dy="4" text-anchor="end">${label}</text>`;
  });
  const times = [0, 0.5, 1].map((part) => {
    const at = end - seconds + part * seconds;
    const anchor = ['start', 'middle', 'end'][part * 2];
    return `<text x="${x(at)}" y="${HEIGHT - 2}" text-anchor="${anchor}">${new Date(at * 1_000).toISOString().slice(11, 16)}</text>`;
  });
  const legends = seen
    .slice(0, 8)
    .map(({ legend }, index) => `<span style="color:${COLOURS[index % COLOURS.length]}">${escaped(legend)}</span>`);
  const more = seen.length > 8 ? `<span>and ${seen.length - 8} more</span>` : '';
  const nothing = seen.length === 0 ? '<span>nothing</span>' : '';
  return `<figure><figcaption>${escaped(title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}">${grid.join('')}${times.join('')}${lines.join('')}</svg><p>${legends.join(' ')}${more}${nothing}</p></figure>`;
}

function escaped(text) {
  return String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

const sections = [];
for (const file of files) {
  const { title, panels } = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
  const figures = [];
  for (const panel of panels) figures.push(drawing(panel, (await Promise.all(panel.targets.map(ask))).flat()));
  sections.push(`<h1>${escaped(title)}</h1><main>${figures.join('')}</main>`);
}
const style = `body{font:12px system-ui,sans-serif;margin:12px;background:#f4f5f5}h1{font-size:16px;margin:8px 0}
main{display:grid;grid-template-columns:repeat(3,1fr);gap:8px}figure{margin:0;padding:8px;background:#fff;border:1px solid #ddd}
figcaption{font-weight:600}svg{width:100%;font-size:10px}svg text{fill:#555}p{margin:2px 0 0;font-size:10px;line-height:1.4}span{margin-right:8px}`;
writeFileSync(
  output,
  `<!doctype html><meta charset="utf-8"><title>Sealwire</title><style>${style}</style>${sections.join('')}\n`,
);
