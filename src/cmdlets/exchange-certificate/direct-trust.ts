/** Get-DirectTrustServer: the servers of the organization that this edge knows by their keys, as EdgeSync delivered them. Our addition. */
import { keyDigestOf } from '../../base/index.ts';
import {
  InternalServers,
  internalServerCertificates,
  internalServerClass,
  internalServersPath,
  receiveConnector,
} from '../../config/index.ts';
import type { Entry } from '../../ldap/index.ts';
import { readCertificate } from '../../tls/index.ts';
import { listObjects } from '../directory-objects.ts';
import { textOf } from '../parameter-values.ts';
import { type BoundParameters, type CmdletContext, CmdletError, CmdletObject } from '../runtime.ts';
import { refuseOthers } from '../transport-objects.ts';

export async function* showServers(context: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
  refuseOthers(bound, ['Identity']);
  const wanted = textOf(bound, 'Identity')?.toLowerCase();
  const { configurationDn } = context.store;
  const base = `${internalServersPath},${configurationDn}`;
  const entries = await context.store.search(base, 'sub', `(objectClass=${internalServerClass})`);
  const servers = entries.flatMap((entry) =>
    new InternalServers().read({ search: () => [entry] }, configurationDn).map(({ name }) => ({ name, entry })),
  );
  const shown = servers.filter(({ name }) => wanted === undefined || name === wanted || name.split('.')[0] === wanted);
  if (shown.length === 0 && wanted !== undefined)
    throw new CmdletError('NoServer', 'ObjectNotFound', `EdgeSync delivered no server '${wanted}'.`);
  const takers = (await listObjects(context, receiveConnector)).map(({ object }) => object).filter(recognizes);
  if (shown.length > 0 && takers.length === 0)
    context.warning(
      'No receive connector recognizes them: Set-ReceiveConnector -AuthMechanism Tls,ExchangeServer lets one do so.',
    );
  for (const { name, entry } of shown) yield present(name, entry, takers);
}

interface Taker {
  readonly name: string;
  readonly enabled: boolean;
  readonly authMechanism: readonly string[];
}

/** A client is asked for its certificate there, and its key is looked for. */
function recognizes({ enabled, authMechanism }: Taker): boolean {
  return enabled && authMechanism.includes('ExchangeServer') && authMechanism.includes('Tls');
}

function present(name: string, entry: Entry, takers: readonly Taker[]): CmdletObject {
  const shown = entry.buffers(internalServerCertificates).map(describe);
  return new CmdletObject('DirectTrustServer', [
    ['Name', name],
    ['Keys', shown.flatMap(({ key }) => (key === undefined ? [] : [key]))],
    ['Certificates', shown.map(({ text }) => text)],
    ['ReceiveConnectors', takers.map((one) => one.name)],
    ['DistinguishedName', entry.dn],
    ['Identity', name],
  ]);
}

/** The key counts, not the certificate: it is trusted whoever issued it and however old it is. */
function describe(der: Buffer): { readonly key: string | undefined; readonly text: string } {
  const key = keyDigestOf(der);
  try {
    const { thumbprint, subjectText, notAfter } = readCertificate(der);
    return { key, text: `${thumbprint}, ${subjectText}, until ${new Date(notAfter).toISOString().slice(0, 10)}` };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { key, text: `${error.message}: no key is trusted by it` };
  }
}
