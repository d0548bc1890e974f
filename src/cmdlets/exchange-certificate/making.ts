/** New-ExchangeCertificate. */
import type { CertificateEntry, CertificateStore, RequestWish } from '../../certificates/index.ts';
import { acceptedDomain } from '../../config/index.ts';
import { listObjects } from '../directory-objects.ts';
import { badArgument, isOn, textOf, textsOf, yesNoOf } from '../parameter-values.ts';
import { type BoundParameters, type CmdletContext, CmdletObject } from '../runtime.ts';
import { refuseOthers } from '../transport-objects.ts';
import { plainOutput, tellLeftBehind, told } from './certificate-notices.ts';
import {
  asked,
  isCertificateError,
  named,
  namedWithKey,
  present,
  storeOf,
  thumbprintOf,
} from './certificate-objects.ts';
import { serverFqdn } from './certificate-use.ts';
import { servicesOf } from './existing.ts';

async function wishOf(context: CmdletContext, bound: BoundParameters): Promise<RequestWish> {
  const from = await renewed(context, bound);
  const algorithm = algorithmOf(bound, from);
  const keyBits = Number(textOf(bound, 'KeySize') ?? '2048');
  if (algorithm === 'RSA' && ![2048, 3072, 4096].includes(keyBits))
    throw badArgument('KeySize', `${keyBits} is not taken: 2048, 3072 and 4096 are.`);
  // Loaded by the process that has the certificates, not by each prompt.
  const { serverNames, subjectFrom } = await import('../../certificates/index.ts');
  const own = serverNames(await serverFqdn(context));
  const subject = textOf(bound, 'SubjectName');
  const names = await domainNames(context, bound, from);
  return {
    subject:
      subject === undefined ? (from?.certificate.subject ?? own.subject) : readSubject(() => subjectFrom(subject)),
    dnsNames: names.length === 0 && subject === undefined ? own.dnsNames : names,
    algorithm,
    keyBits,
    friendlyName: textOf(bound, 'FriendlyName') ?? from?.friendlyName ?? 'Microsoft Exchange',
    exportable: yesNoOf(bound, 'PrivateKeyExportable', false),
  };
}

function readSubject(read: () => RequestWish['subject']): RequestWish['subject'] {
  try {
    return read();
  } catch (error) {
    if (isCertificateError(error)) throw badArgument('SubjectName', `${error.message}.`, error);
    throw error;
  }
}

/** The certificate of the pipeline: its subject, names and friendly name are taken over. */
async function renewed(context: CmdletContext, bound: BoundParameters): Promise<CertificateEntry | undefined> {
  if (!bound.has('Instance')) return undefined;
  return namedWithKey(await storeOf(context), thumbprintOf(context, bound) ?? '');
}

function algorithmOf(bound: BoundParameters, from: CertificateEntry | undefined): 'RSA' | 'ECDSA' {
  const text = textOf(bound, 'KeyAlgorithm')?.toUpperCase();
  if (text === undefined) return from?.certificate.keyType === 'ec' ? 'ECDSA' : 'RSA';
  if (text === 'RSA' || text === 'ECDSA') return text;
  throw badArgument('KeyAlgorithm', `'${text}' is not one of RSA, ECDSA.`);
}

/** -DomainName with what -Include… adds; without any, those of the certificate that is renewed. */
async function domainNames(
  context: CmdletContext,
  bound: BoundParameters,
  from: CertificateEntry | undefined,
): Promise<readonly string[]> {
  const fqdn = (await serverFqdn(context)).toLowerCase();
  const accepted = isOn(bound, 'IncludeAcceptedDomains') ? await listObjects(context, acceptedDomain) : [];
  const names = [
    ...textsOf(bound, 'DomainName').flatMap((text) => text.split(',')),
    ...(isOn(bound, 'IncludeServerFQDN') ? [fqdn] : []),
    ...(isOn(bound, 'IncludeServerNetBIOSName') ? [context.serverName.toLowerCase()] : []),
    ...accepted.map(({ object }) => object.domainName.replace(/^\*\./, '')).filter((name) => name !== '*'),
  ].map((name) => name.trim().toLowerCase());
  const wrong = names.find((name) => !/^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?$/.test(name));
  if (wrong !== undefined) throw badArgument('DomainName', `'${wrong}' is not a host name such as mail.contoso.com.`);
  return names.length === 0 && from !== undefined ? from.certificate.dnsNames : [...new Set(names)];
}

export async function* makeCertificate(context: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
  refuseOthers(bound, [
    ...['BinaryEncoded', 'DomainName', 'Force', 'FriendlyName', 'GenerateRequest', 'IncludeAcceptedDomains'],
    ...['IncludeServerFQDN', 'IncludeServerNetBIOSName', 'Instance', 'KeySize', 'PrivateKeyExportable', 'Server'],
    ...['Services', 'SubjectName', 'KeyAlgorithm', 'DomainController'],
  ]);
  const wish = await wishOf(context, bound);
  const store = await storeOf(context);
  if (isOn(bound, 'GenerateRequest')) yield* request(context, { store, wish, bound });
  else yield* selfSigned(context, { store, wish, bound });
}

interface Making {
  readonly store: CertificateStore;
  readonly wish: RequestWish;
  readonly bound: BoundParameters;
}

async function* request(context: CmdletContext, { store, wish, bound }: Making): AsyncGenerator<CmdletObject> {
  const operation = {
    action: 'Making a certificate request on',
    target: context.serverName,
    impact: 'Medium',
  } as const;
  if (!(await context.shouldProcess(operation))) return;
  const made = await asked(() => store.makeRequest(wish));
  told(context, made.thumbprint, made.subjectText);
  const der = Buffer.from(made.pem.replace(/-----[A-Z ]+-----/g, ''), 'base64');
  if (!isOn(bound, 'BinaryEncoded')) yield plainOutput(made.pem);
  else yield new CmdletObject('BinaryFileDataObject', [['FileData', Uint8Array.from(der)]]);
}

async function* selfSigned(context: CmdletContext, { store, wish, bound }: Making): AsyncGenerator<CmdletObject> {
  const operation = {
    action: 'Making a self-signed certificate on',
    target: context.serverName,
    impact: 'Medium',
  } as const;
  if (!(await context.shouldProcess(operation))) return;
  const services = bound.has('Services') ? servicesOf(bound) : ['SMTP'];
  const entry = await asked(() => store.makeSelfSigned({ ...wish, services }));
  told(context, entry.thumbprint, entry.certificate.subjectText);
  await tellLeftBehind(context, store, entry);
  yield present(context, store, named(store, entry.thumbprint));
}
