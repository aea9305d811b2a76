/** For tests: the manifests of infra/k8s/plain as data, and who may reach whom by their NetworkPolicies. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

export const K8S = fileURLToPath(new URL('../../../../infra/k8s/', import.meta.url));

type Labels = Readonly<Record<string, string>>;

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly Readonly<Record<string, unknown> & { name: string }>[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext?: unknown;
  readonly lifecycle?: { readonly preStop?: { readonly exec?: { readonly command: readonly string[] } } };
  readonly resources?: { readonly limits?: Labels; readonly requests?: Labels };
  readonly [probe: `${string}Probe`]: { readonly httpGet?: { readonly path: string; readonly port: string } };
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
  readonly terminationGracePeriodSeconds?: number;
  readonly [key: string]: unknown;
}

interface Peer {
  readonly podSelector?: { readonly matchLabels?: Labels };
  readonly namespaceSelector?: { readonly matchLabels?: Labels };
  readonly ipBlock?: { readonly cidr: string };
}

interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly protocol: string; readonly port: number }[];
}

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Labels };
  // biome-ignore lint/suspicious/noExplicitAny: each kind has its own, and a wrong look at it fails the test.
  readonly spec?: any;
}

/** Of a file below infra/k8s/plain, or of text. */
export function manifestsIn(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

/** What `overlay` consists of, before its kustomization changes names in it. */
export function renderedManifests(overlay: 'trial' | 'production'): Manifest[] {
  return ['base', `overlays/${overlay}`].flatMap((folder) =>
    manifestsIn(readFileSync(`${K8S}plain/${folder}/rendered.yaml`, 'utf8')),
  );
}

/** Each thing that starts pods, by name, with the pods' labels. */
export function podsOf(manifests: readonly Manifest[]): { name: string; component: string; pod: PodSpec }[] {
  return manifests
    .filter(({ kind }) => ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'Pod'].includes(kind))
    .map(({ metadata, spec }) => ({
      name: metadata.name,
      component: spec.template.metadata.labels['app.kubernetes.io/component'],
      pod: spec.template.spec,
    }));
}

const componentOf = (labels: Labels | undefined) => labels?.['app.kubernetes.io/component'];

/** A peer in one word: a component of ours, a namespace, an address range. */
function peerName({ podSelector, namespaceSelector, ipBlock }: Peer): string {
  if (ipBlock) return ipBlock.cidr;
  const place = namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name'];
  if (namespaceSelector)
    return `${place ?? 'any'}${podSelector ? `/${Object.values(podSelector.matchLabels ?? {})}` : ''}`;
  return componentOf(podSelector?.matchLabels) ?? 'any';
}

/**
 * What the policies let pass, as `FROM > TO:PORT`. Between components of ours both sides must allow it: `half` has what only one does.
 * Throws when a policy allows all of a kind, by a rule without peers or ports.
 */
export function edgesOf(manifests: readonly Manifest[]): { edges: string[]; half: string[] } {
  const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy');
  const ours = policies.map(({ spec }) => componentOf(spec.podSelector.matchLabels)).filter(Boolean);
  const edges = (direction: 'ingress' | 'egress') =>
    policies.flatMap(({ metadata, spec }) =>
      ((spec[direction] ?? []) as Rule[]).flatMap((rule) => {
        const peers = direction === 'ingress' ? rule.from : rule.to;
        if (!peers?.length || !rule.ports?.length) throw new Error(`${metadata.name} allows everything of a kind`);
        const own = componentOf(spec.podSelector.matchLabels)!;
        return peers.flatMap((peer) =>
          rule.ports!.map(({ port, protocol }) => {
            const ends = direction === 'ingress' ? [peerName(peer), own] : [own, peerName(peer)];
            return `${ends[0]} > ${ends[1]}:${port}${protocol === 'UDP' ? '/udp' : ''}`;
          }),
        );
      }),
    );
  const [ingress, egress] = [new Set(edges('ingress')), new Set(edges('egress'))];
  const all = [...new Set([...ingress, ...egress])].sort();
  const isInside = (edge: string) => edge.split(' > ').every((end) => ours.includes(end.split(':')[0]));
  return {
    edges: all,
    half: all.filter((edge) => isInside(edge) && !(ingress.has(edge) && egress.has(edge))),
  };
}
