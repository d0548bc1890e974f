/** What the cmdlets of certificates say of what they did. */
import type { CertificateEntry, CertificateStore } from '../../certificates/index.ts';
import { formatTlsCertificateName } from '../../tls/index.ts';
import { type CmdletContext, CmdletObject } from '../runtime.ts';
import { connectorUses, leftBehindBy } from './certificate-use.ts';

/** Text that a cmdlet gives back. */
export function plainOutput(text: string): CmdletObject {
  return new CmdletObject('System.String', [['Value', text]]);
}

export function told(context: CmdletContext, thumbprint: string, subject: string): void {
  const properties = [{ name: 'Subject', before: '', after: subject }];
  context.changed({ object: `${context.serverName}\\${thumbprint}`, dn: '', properties });
}

/** A renewal that no longer matches a connector's name is told now, with the line that mends it. */
export async function tellLeftBehind(
  context: CmdletContext,
  store: CertificateStore,
  added: CertificateEntry,
): Promise<void> {
  for (const { kind, title, identity } of leftBehindBy(await connectorUses(context), store.list(), added)) {
    const cmdlet = kind === 'receive' ? 'Set-ReceiveConnector' : 'Set-SendConnector';
    const name = formatTlsCertificateName(added.certificate).replaceAll("'", "''");
    context.warning(
      `The ${title} names the certificate that this one seems to replace, not this one. To change it: ${cmdlet} '${identity.replaceAll("'", "''")}' -TlsCertificateName '${name}'`,
    );
  }
}
