/** EdgeSync for the cmdlets of a server: of an edge its subscription, of a Mailbox server the edges that it serves. */
import { readFileSync } from 'node:fs';
import { systemClock } from '../base/index.ts';
import type { CertificateEntry, CertificateStore } from '../certificates/index.ts';
import { SecretBox } from '../certificates/secrets/index.ts';
import { internalServerCertificates, type SnapshotPlace } from '../config/index.ts';
import { Argon2Hasher, type DirectoryStore } from '../directory/index.ts';
import { keepRecipientKey, recipientKeyFile } from '../edge-sync/edge/index.ts';
import { EdgeSideCmdlets, EdgeSync, InsideCmdlets, InsideState } from '../edge-sync/index.ts';
import type { StatePaths } from '../processes/state/index.ts';
import { holdSnapshots } from '../server-state/index.ts';

export interface EdgeSyncGround {
  readonly store: DirectoryStore;
  readonly paths: StatePaths;
  readonly place: SnapshotPlace;
  readonly certificates: CertificateStore;
}

export function edgeSyncFor({ store, paths, place, certificates }: EdgeSyncGround): EdgeSideCmdlets | InsideCmdlets {
  if (place.role === 'Mailbox') {
    const state = new InsideState(paths.edgeSync);
    const secrets = new SecretBox(paths.certificates);
    const unseal = (sealed: string, purpose: string): string => secrets.unseal(sealed, purpose);
    const snapshots = holdSnapshots(store);
    const ownServer = () => {
      snapshots.refresh();
      const { fqdn, dn } = snapshots.current.server;
      const standard = store.get(dn)?.buffers(internalServerCertificates) ?? [];
      return { name: fqdn, certificates: ownCertificates(certificates.list(), fqdn, standard) };
    };
    const progress = (): void => undefined;
    const { schema } = store;
    return new InsideCmdlets(new EdgeSync({ state, schema, clock: systemClock, progress, unseal, ownServer }));
  }
  const snapshots = holdSnapshots(store);
  const server = () => {
    snapshots.refresh();
    return snapshots.current.server;
  };
  const { dn: serverDn, name: serverName } = snapshots.current.server;
  return new EdgeSideCmdlets({
    store,
    hasher: new Argon2Hasher(),
    clock: systemClock,
    place: { configurationDn: place.configurationDn, serverDn, serverName },
    fqdn: () => server().fqdn,
    sslPort: () => server().edgeSyncAdamSslPort,
    version: programVersion(),
    certificate: () => {
      const { chosen } = certificates.pick({ purpose: 'LDAPS', serverFqdn: server().fqdn, single: true }).choice;
      if (chosen === undefined)
        throw new Error('this server has no certificate for LDAPS: start it once, or import one');
      return chosen.chainPem;
    },
    certificates: () => certificates.list().map(({ chainPem }) => chainPem),
    forgetKey: () => keepRecipientKey(recipientKeyFile(paths.edgeSync), undefined),
  });
}

/**
 * What this server may show to an edge, in base64: the default SMTP certificate, and those for SMTP that name the server itself. One
 * with a wildcard alone may be other systems' too, and edges trust keys.
 */
function ownCertificates(entries: readonly CertificateEntry[], fqdn: string, standard: readonly Buffer[]): string[] {
  const shown = entries.filter(({ certificate, enabledForSmtp }) => {
    const { der, dnsNames, commonName, notAfter } = certificate;
    if (notAfter <= systemClock.now()) return false;
    if (standard.some((one) => one.equals(der))) return true;
    return enabledForSmtp && [...dnsNames, commonName].some((name) => name.toLowerCase() === fqdn.toLowerCase());
  });
  return shown.map(({ certificate }) => certificate.der.toString('base64')).sort();
}

function programVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
