/** Test-MtaStsPolicy: our own MTA-STS policy against DNS and certificates, for each accepted domain (RFC 8461). Our addition. */
import { acceptedDomain, transportService } from '../../config/index.ts';
import { type DnsAsker, DnsFailure } from '../../dns/index.ts';
import { checkDomain, ownPolicy, ownRecord, policyDomains } from '../../mta-sts/index.ts';
import { chooseReceiveCertificate } from '../../tls/index.ts';
import { listObjects, serverEntry } from '../directory-objects.ts';
import { type BoundParameters, type CmdletContext, CmdletError, CmdletObject } from '../runtime.ts';
import { refuseOthers } from '../transport-objects.ts';
import { storeOf } from './certificate-objects.ts';

/** Where no DNS is asked: every question stays open. */
const nobody: DnsAsker = { ask: (name, type) => Promise.reject(new DnsFailure('NO RESOLVER', `${type} ${name}`)) };

export async function* testPolicy(context: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
  refuseOthers(bound, []);
  const { dns = nobody, signal } = context;
  const { dn } = await serverEntry(context);
  const server = (await listObjects(context, transportService)).find(({ entry }) => entry.dn === dn)?.object;
  if (server === undefined) throw new CmdletError('NoServer', 'ObjectNotFound', 'The server has no object here.');
  const policy = ownPolicy(server);
  const certificates = (await storeOf(context)).list();
  const choose = (host: string) =>
    chooseReceiveCertificate(certificates, { fqdn: host, serverFqdn: host, now: Date.now() });
  const domains = (await listObjects(context, acceptedDomain)).map(({ object }) => object);
  if (server.mtaStsPolicyBindings.length === 0)
    context.warning('The policy is served nowhere: Set-TransportService -MtaStsPolicyBindings says where.');
  for (const domain of policyDomains(domains)) {
    const { faults } = await checkDomain(domain, policy, { dns, choose }, signal);
    yield new CmdletObject('MtaStsPolicy', [
      ['Domain', domain],
      ['Mode', policy.mode],
      ['Mx', policy.mx],
      ['MaxAge', policy.maxAge],
      ['Line', `_mta-sts.${domain}. IN TXT "${ownRecord(policy)}"`],
      ['Faults', faults],
      ['IsValid', faults.length === 0],
      ['Identity', domain],
    ]);
  }
}
