/** Takes up a certificate that came by ACME: when the DNS knows its key, and with the connectors that name its predecessor. */
import { type KeyObject, X509Certificate } from 'node:crypto';
import type { AcmeOrder } from '../../certificates/acme/index.ts';
import type { CertificateEntry, CertificateStore } from '../../certificates/index.ts';
import { receiveConnector, sendConnector } from '../../config/index.ts';
import { chooseReceiveCertificate, formatTlsCertificateName } from '../../tls/index.ts';
import type { CmdletContext } from '../runtime.ts';
import { asked, namedWithKey } from './certificate-objects.ts';
import { type ConnectorUse, connectorUses, leftBehindBy, serverFqdn } from './certificate-use.ts';
import { tlsaReadiness } from './tlsa-record.ts';

/** RFC 7671 §8.1: old and new records stand together for so many times their time to live before the change. */
const waitedTtls = 2;

/**
 * Shows the certificate that an order holds back, as soon as that does no harm; gives the order as it is then. `sisters`: orders
 * of the same names with another key algorithm; where they hold one back too, both wait for each other's records. Nothing is
 * changed when a connector that names the predecessor would find no certificate by the new name.
 */
export async function takeUp(
  context: CmdletContext,
  store: CertificateStore,
  { order, sisters }: { readonly order: AcmeOrder; readonly sisters: readonly AcmeOrder[] },
  now: number,
): Promise<AcmeOrder> {
  const { held, ...rest } = order;
  if (held === undefined) return order;
  const entry = namedWithKey(store, held.thumbprint);
  // RFC 7671 §8.1: what is shown side by side changes when the records of both keys are there.
  const heldBeside = sisters.flatMap((one) =>
    store.list().filter(({ thumbprint }) => thumbprint === one.held?.thumbprint),
  );
  const ready = await Promise.all([entry, ...heldBeside].map((one) => tlsaReadiness(context, one)));
  const warnings = [...new Set(ready.flatMap((one) => one.warnings))];
  const ttlMs = Math.max(...ready.map((one) => one.ttlMs));
  if (warnings.length > 0) {
    for (const warning of warnings) context.warning(`${warning} It is held back until then.`);
    return { ...rest, held: { thumbprint: held.thumbprint, services: held.services } };
  }
  const seen = held.seen ?? now;
  if (!keepsKey(store, order, entry) && now - seen < waitedTtls * ttlMs) {
    context.verbose(
      `The records of ${entry.thumbprint} are seen since ${new Date(seen).toISOString()}: it is shown two TTLs later.`,
    );
    return { ...rest, held: { ...held, seen } };
  }
  const moves = await movesFor(context, store, entry);
  const shown = await asked(() => store.enable(entry.thumbprint, held.services));
  for (const move of moves) await repoint(context, move);
  context.changed({
    object: `${context.serverName}\\${shown.thumbprint}`,
    dn: '',
    properties: [{ name: 'Services', before: '', after: held.services.join(', ') }],
  });
  return { ...rest, thumbprint: entry.thumbprint };
}

/** A renewal with the same key meets the records that are there. */
function keepsKey(store: CertificateStore, { thumbprint }: AcmeOrder, entry: CertificateEntry): boolean {
  const before = store.list().find((one) => one.thumbprint === thumbprint);
  return before !== undefined && publicKeyOf(before).equals(publicKeyOf(entry));
}

function publicKeyOf({ certificate }: CertificateEntry): KeyObject {
  return new X509Certificate(certificate.der).publicKey;
}

interface Move {
  readonly use: ConnectorUse;
  /** '': by Fqdn, as a certificate without a subject is chosen. */
  readonly name: string;
}

/** The connectors that follow, each after a dry run of the choice with the certificate in force. */
async function movesFor(
  context: CmdletContext,
  store: CertificateStore,
  entry: CertificateEntry,
): Promise<readonly Move[]> {
  const fqdn = await serverFqdn(context);
  const entries = store
    .list()
    .map((one) => (one.thumbprint === entry.thumbprint ? { ...one, enabledForSmtp: true } : one));
  const name = entry.certificate.subjectText === '' ? '' : formatTlsCertificateName(entry.certificate);
  const behind = leftBehindBy(await connectorUses(context), entries, entry);
  return behind.flatMap((use) => {
    const query = { tlsCertificateName: name, fqdn: use.fqdn, serverFqdn: fqdn, now: Date.now() };
    const { chosen, companions, reason } = chooseReceiveCertificate(entries, query);
    const found = [chosen, ...companions].some((one) => one?.thumbprint === entry.thumbprint);
    if (found) return [{ use, name }];
    context.warning(
      `The ${use.title} keeps its TlsCertificateName: with '${name}' it would not show the new certificate (${reason}).`,
    );
    return [];
  });
}

async function repoint(context: CmdletContext, { use, name }: Move): Promise<void> {
  const table = use.kind === 'receive' ? receiveConnector : sendConnector;
  const { attribute } = table.properties.tlsCertificateName;
  const values = name === '' ? [] : [Buffer.from(name)];
  await context.store.modify(use.dn, [{ operation: 'replace', attribute, values }]);
  context.changed({
    object: use.identity,
    dn: use.dn,
    properties: [{ name: 'TlsCertificateName', before: use.tlsCertificateName, after: name }],
  });
  context.warning(
    `The ${use.title} now names the certificate that came by ACME: its issuer or subject is another one than before.`,
  );
}
