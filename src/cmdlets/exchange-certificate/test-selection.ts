/** Test-TlsCertificateSelection: which certificate each connector shows, and why not another; now or at a date. Our addition. */
import type { ReceiveConnector } from '../../config/index.ts';
import { chooseReceiveCertificate, hasCertificateName, parseTlsCertificateName } from '../../tls/index.ts';
import { dateOf, textOf } from '../parameter-values.ts';
import { type BoundParameters, type CmdletContext, CmdletError, CmdletObject } from '../runtime.ts';
import { refuseOthers } from '../transport-objects.ts';
import { storeOf } from './certificate-objects.ts';
import { connectorUses, serverFqdn } from './certificate-use.ts';

export async function* showSelection(context: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
  refuseOthers(bound, ['Connector', 'At']);
  const wanted = textOf(bound, 'Connector')?.toLowerCase();
  const uses = (await connectorUses(context)).filter(({ identity }) => {
    const names = [identity.toLowerCase(), identity.toLowerCase().replace(/^[^\\]*\\/, '')];
    return wanted === undefined || names.includes(wanted);
  });
  if (wanted !== undefined && uses.length === 0) {
    const text = `There is no connector '${wanted}' that shows a certificate: a receive connector needs Tls in AuthMechanism, a send connector a TlsCertificateName.`;
    throw new CmdletError('ConnectorNotFound', 'ObjectNotFound', text, { target: wanted });
  }
  const entries = (await storeOf(context)).list();
  const now = dateOf(bound, 'At')?.getTime() ?? Date.now();
  const fqdn = await serverFqdn(context);
  for (const use of uses) {
    const choice = chooseReceiveCertificate(entries, { ...use, serverFqdn: fqdn, now });
    const shown = [...(choice.chosen === undefined ? [] : [choice.chosen]), ...choice.companions];
    const row = (thumbprint: string, subject: string, selected: boolean, reason: string): CmdletObject =>
      new CmdletObject('TlsCertificateSelection', [
        ['Connector', use.identity],
        ['Selected', selected],
        ['Thumbprint', thumbprint],
        ['Subject', subject],
        ['Reason', reason],
        ['WantedName', choice.wanted],
        ['At', new Date(now)],
        ['Identity', `${use.identity} ${thumbprint}`],
      ]);
    for (const { thumbprint, certificate } of shown)
      yield row(thumbprint, certificate.subjectText, true, choice.reason);
    for (const { candidate, reason } of choice.passedOver)
      yield row(candidate.thumbprint, candidate.certificate.subjectText, false, reason);
    if (shown.length === 0 && choice.passedOver.length === 0) yield row('', '', false, choice.reason);
  }
}

/** A TlsCertificateName that nothing satisfies takes STARTTLS away: told with the reason of those that come nearest. */
export async function warnOfNone(
  context: CmdletContext,
  { name, tlsCertificateName, fqdn, authMechanism }: ReceiveConnector,
): Promise<void> {
  if (tlsCertificateName === null || !authMechanism.includes('Tls')) return;
  const entries = (await storeOf(context)).list();
  const { chosen, passedOver } = chooseReceiveCertificate(entries, {
    tlsCertificateName,
    fqdn: fqdn ?? '',
    serverFqdn: await serverFqdn(context),
    now: Date.now(),
  });
  if (chosen !== undefined) return;
  const wanted = parseTlsCertificateName(tlsCertificateName);
  const near = passedOver
    .filter(({ candidate }) => hasCertificateName(candidate.certificate, wanted))
    .map((one) => `${one.name} ${one.reason}`);
  const why = near.length === 0 ? 'no certificate here has this issuer and subject' : near.join('; ');
  context.warning(`'${name}' offers no STARTTLS until a certificate satisfies the TlsCertificateName: ${why}.`);
}
