/** EdgeSync for the cmdlets of a server: of an edge its subscription, of a Mailbox server the edges that it serves. */
import { readFileSync } from 'node:fs';
import { systemClock } from '../base/index.ts';
import type { CertificateStore } from '../certificates/index.ts';
import { SecretBox } from '../certificates/secrets/index.ts';
import type { SnapshotPlace } from '../config/index.ts';
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
    return new InsideCmdlets(
      new EdgeSync({ state, schema: store.schema, clock: systemClock, progress: () => undefined, unseal }),
    );
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

function programVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
