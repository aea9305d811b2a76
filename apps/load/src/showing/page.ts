/** The frame of every report in HTML: styles within, nothing from elsewhere, no script. */
import { escaped } from './charts.ts';

const STYLE = `
:root{color-scheme:light dark;--line:#8884}
body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid var(--line);padding:.3rem .6rem;text-align:right}
th:first-child,td:first-child{text-align:left}
figure{margin:1.5rem 0}figcaption{font-weight:600}figcaption span{font-weight:400;margin-left:1rem}
figcaption i{display:inline-block;width:.8em;height:.8em;margin-right:.3em}
svg{width:100%;height:auto}.grid{stroke:var(--line)}.border{stroke:currentColor;stroke-dasharray:2 4;opacity:.6}text{font-size:11px;fill:currentColor}
.y{text-anchor:end;dominant-baseline:middle}.x{text-anchor:middle}
.v{dominant-baseline:middle}.left td,.left th{text-align:left}.left code{overflow-wrap:anywhere}
.even{font-size:.85em}.even th,.even td,.even th:first-child,.even td:first-child{text-align:right;vertical-align:bottom}.note{opacity:.75}
.ok{color:#16a34a}.bad{color:#dc2626}pre{white-space:pre-wrap;background:#8881;padding:1rem}`;

/** `body` is HTML already. */
export function pageOf(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title><style>${STYLE}</style></head><body>
${body}
</body></html>
`;
}
