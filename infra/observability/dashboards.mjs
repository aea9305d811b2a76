// The Grafana dashboards as code: `node infra/observability/dashboards.mjs` writes dashboards/*.json from the tables below (then `npm run format`). They are loaded by
// Grafana's provisioning or by hand (docs/operations/observability.md). A test parses every expression, holds its metrics to those that
// servers have, and compares the files with what this makes.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NODE = '{job=~"$job",instance=~"$instance"}';
/** Labels of one metric beside those of all. */
const only = (labels) => NODE.replace('}', `,${labels}}`);
const rate = (metric, labels) => `rate(${metric}${labels ? only(labels) : NODE}[$__rate_interval])`;
const per = (by, expression) => `sum by (${by}) (${expression})`;
const quantile = (q, metric, by = '', labels) =>
  `histogram_quantile(${q}, sum by (${by === '' ? '' : `${by}, `}le) (${rate(`${metric}_bucket`, labels)}))`;

/** A row of panels: title, unit, and expressions with their legends. */
const panel = (title, unit, ...targets) => ({ title, unit, targets });

const DASHBOARDS = {
  overview: [
    'Sealwire: overview',
    [
      panel('Ready', 'short', [`sealwire_ready${NODE}`, '{{instance}}']),
      panel('Open sockets', 'short', [`sealwire_relay_connections${NODE}`, '{{instance}}']),
      panel('Messages accepted', 'ops', [
        per('instance', rate('sealwire_relay_messages_total', 'result="accepted"')),
        '{{instance}}',
      ]),
      panel('Requests by status', 'reqps', [per('status', rate('sealwire_http_requests_total')), '{{status}}']),
      panel(
        'Time of a request',
        's',
        [quantile(0.5, 'sealwire_http_request_seconds'), 'half'],
        [quantile(0.99, 'sealwire_http_request_seconds'), '99 of 100'],
      ),
      panel('Errors nobody expected', 'ops', [per('where', rate('sealwire_unhandled_errors_total')), '{{where}}']),
      panel('CPU', 'percentunit', [rate('process_cpu_seconds_total'), '{{instance}}']),
      panel('Memory', 'bytes', [`process_resident_memory_bytes${NODE}`, '{{instance}}']),
      panel('A turn of the process, 99 of 100', 's', [`nodejs_eventloop_lag_p99_seconds${NODE}`, '{{instance}}']),
      panel('Garbage collection', 'percentunit', [
        per('instance, kind', rate('nodejs_gc_duration_seconds_sum')),
        '{{instance}} {{kind}}',
      ]),
      panel('Refused by limiters', 'ops', [per('limiter', rate('sealwire_ratelimit_rejections_total')), '{{limiter}}']),
      panel(
        'Lines of the log',
        'ops',
        [per('level', rate('sealwire_log_lines_total')), '{{level}}'],
        [per('instance', rate('sealwire_log_lines_left_out_total')), 'left out'],
      ),
    ],
  ],
  relay: [
    'Sealwire: relay',
    [
      panel('Messages by result', 'ops', [per('result', rate('sealwire_relay_messages_total')), '{{result}}']),
      panel(
        'Copies and deliveries',
        'ops',
        [per('instance', rate('sealwire_relay_copies_total')), 'copies {{instance}}'],
        [per('instance', rate('sealwire_relay_deliveries_total')), 'deliveries {{instance}}'],
      ),
      panel(
        'From write to socket',
        's',
        [quantile(0.5, 'sealwire_relay_delivery_latency_seconds'), 'half'],
        [quantile(0.99, 'sealwire_relay_delivery_latency_seconds'), '99 of 100'],
      ),
      panel('Waiting for the write', 'short', [`sealwire_relay_unwritten_messages${NODE}`, '{{instance}}']),
      panel('Open sockets', 'short', [`sealwire_relay_connections${NODE}`, '{{instance}}']),
      panel(
        'Sockets opened and closed',
        'ops',
        [per('instance', rate('sealwire_relay_sessions_opened_total')), 'opened {{instance}}'],
        [per('code', rate('sealwire_relay_connections_closed_total')), 'closed {{code}}'],
      ),
      panel('Frames of clients', 'ops', [per('type', rate('sealwire_relay_frames_received_total')), '{{type}}']),
      panel('Bytes in queues of sockets', 'bytes', [`sealwire_relay_buffered_bytes${NODE}`, '{{instance}}']),
      panel(
        'Messages that waited for a device',
        'short',
        [quantile(0.5, 'sealwire_mailbox_depth_messages'), 'half'],
        [quantile(0.99, 'sealwire_mailbox_depth_messages'), '99 of 100'],
      ),
      panel('Expired mail', 'ops', [per('instance', rate('sealwire_mail_expired_total')), '{{instance}}']),
      panel('Clocks of other nodes', 's', [`sealwire_relay_node_clock_offset_seconds${NODE}`, '{{instance}}']),
      panel('Clock ahead of mail', 's', [`sealwire_mail_clock_lead_seconds${NODE}`, '{{instance}}']),
    ],
  ],
  'directory-and-keys': [
    'Sealwire: directory and keys',
    [
      panel('Bundles handed out', 'ops', [per('result', rate('sealwire_directory_claims_total')), '{{result}}']),
      panel('Of empty pools', 'ops', [per('instance', rate('sealwire_prekeys_low_total')), '{{instance}}']),
      panel(
        'One-time keys that devices had left',
        'short',
        [quantile(0.1, 'sealwire_prekey_pool_keys'), 'one of ten has less'],
        [quantile(0.5, 'sealwire_prekey_pool_keys'), 'half'],
      ),
      panel('Devices that compared their keys', 'ops', [
        per('result', rate('sealwire_directory_key_checks_total')),
        '{{result}}',
      ]),
      panel('Directories of other domains', 'ops', [
        per('result', rate('sealwire_directory_foreign_requests_total')),
        '{{result}}',
      ]),
      panel('Requests by route', 'reqps', [per('route', rate('sealwire_http_requests_total')), '{{route}}']),
      panel('Time by route, 99 of 100', 's', [quantile(0.99, 'sealwire_http_request_seconds', 'route'), '{{route}}']),
      panel('Mails', 'ops', [per('result', rate('sealwire_mails_total')), '{{result}}']),
    ],
  ],
  'store-and-bus': [
    'Sealwire: store, files and bus',
    [
      panel(
        'The durable write',
        's',
        [quantile(0.5, 'sealwire_store_call_seconds', '', 'call="mailboxes.append"'), 'half'],
        [quantile(0.99, 'sealwire_store_call_seconds', '', 'call="mailboxes.append"'), '99 of 100'],
      ),
      panel('Calls of the store', 'ops', [per('call', rate('sealwire_store_call_seconds_count')), '{{call}}']),
      panel('Calls of the store, 99 of 100', 's', [quantile(0.99, 'sealwire_store_call_seconds', 'call'), '{{call}}']),
      panel('Failed calls of the store', 'ops', [
        per('call, kind', rate('sealwire_store_errors_total')),
        '{{call}} {{kind}}',
      ]),
      panel(
        'Store full, damaged',
        'short',
        [`sealwire_store_full${NODE}`, 'full {{instance}}'],
        [per('part', `increase(sealwire_store_damages_total${NODE}[1h])`), 'damaged {{part}}'],
      ),
      panel('Free on the disks', 'bytes', [`sealwire_disk_free_bytes${NODE}`, '{{disk}} {{instance}}']),
      panel('Refused, a disk is nearly full', 'ops', [per('what', rate('sealwire_disk_refusals_total')), '{{what}}']),
      panel('Calls to where files lie, 99 of 100', 's', [
        quantile(0.99, 'sealwire_blob_call_seconds', 'call'),
        '{{call}}',
      ]),
      panel('Failed calls to where files lie', 'ops', [
        per('call, kind', rate('sealwire_blob_errors_total')),
        '{{call}} {{kind}}',
      ]),
      panel(
        'There and back over the bus',
        's',
        [quantile(0.5, 'sealwire_bus_round_trip_seconds'), 'half'],
        [quantile(0.99, 'sealwire_bus_round_trip_seconds'), '99 of 100'],
      ),
      panel('Heard on the bus', 'ops', [per('kind', rate('sealwire_bus_messages_heard_total')), '{{kind}}']),
      panel('Handed to the bus, 99 of 100', 's', [quantile(0.99, 'sealwire_bus_publish_seconds'), '99 of 100']),
      panel('Faults of the bus', 'ops', [per('fault', rate('sealwire_bus_faults_total')), '{{fault}}']),
      panel(
        'Connected',
        'short',
        [`sealwire_bus_connected${NODE}`, 'bus {{instance}}'],
        [`sealwire_limiters_shared${NODE}`, 'limiters {{instance}}'],
        [`sealwire_bus_region_connected${NODE}`, 'region {{region}} {{instance}}'],
      ),
    ],
  ],
};

const WIDTH = 8;
const HEIGHT = 7;

const datasource = { type: 'prometheus', uid: '$datasource' };

const variable = (name, query) => ({
  name,
  type: 'query',
  datasource,
  query,
  refresh: 2,
  multi: true,
  includeAll: true,
  allValue: '.*',
  current: { selected: true, text: ['All'], value: ['$__all'] },
});

function dashboard(name, [title, panels]) {
  return {
    uid: `sealwire-${name}`,
    title,
    tags: ['sealwire'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus' },
        variable('job', 'label_values(sealwire_build_info, job)'),
        variable('instance', 'label_values(sealwire_build_info{job=~"$job"}, instance)'),
      ],
    },
    panels: panels.map(({ title, unit, targets }, at) => ({
      id: at + 1,
      type: 'timeseries',
      title,
      datasource,
      gridPos: { x: (at % 3) * WIDTH, y: Math.floor(at / 3) * HEIGHT, w: WIDTH, h: HEIGHT },
      fieldConfig: { defaults: { unit, min: 0, custom: { lineWidth: 1, fillOpacity: 10 } }, overrides: [] },
      options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
      targets: targets.map(([expr, legendFormat], index) => ({
        refId: String.fromCharCode(65 + index),
        expr,
        legendFormat,
        datasource,
      })),
    })),
  };
}

/** By the names of their files. */
export function dashboards() {
  return Object.entries(DASHBOARDS).map(([name, contents]) => [`${name}.json`, dashboard(name, contents)]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = new URL('./dashboards/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const [name, contents] of dashboards())
    writeFileSync(new URL(name, folder), `${JSON.stringify(contents, undefined, 2)}\n`);
}
