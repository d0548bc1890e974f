/** New-, Update-, Get- and Remove-AcmeCertificate: certificates by ACME (RFC 8555), renewed by the service. Our addition. */
import type { AcmeOrder, ExternalAccount } from '../../certificates/acme/index.ts';
import type { CertificateEntry, CertificateStore } from '../../certificates/index.ts';
import { SecureString } from '../calling/secure-string.ts';
import { badArgument, isOn, missingArgument, textOf, textsOf } from '../parameter-values.ts';
import {
  type AcmeAdministration,
  type BoundParameters,
  type CmdletContext,
  CmdletError,
  CmdletObject,
} from '../runtime.ts';
import { refuseOthers } from '../transport-objects.ts';
import { takeUp } from './acme-switch.ts';
import { told } from './certificate-notices.ts';
import { asked, storeOf } from './certificate-objects.ts';

export async function* order(context: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
  refuseOthers(bound, [
    'DomainName',
    'DirectoryUrl',
    'Contact',
    'Challenge',
    'KeyAlgorithm',
    'TermsOfServiceAgreed',
    'ExternalAccountKeyId',
    'ExternalAccountKey',
  ]);
  if (!isOn(bound, 'TermsOfServiceAgreed')) throw missingArgument('TermsOfServiceAgreed', 'The authority asks for it.');
  const { administration, store } = await groundOf(context);
  const order = await orderOf(bound);
  const externalAccount = externalAccountOf(bound);
  const target = order.domains.join(', ');
  if (!(await context.shouldProcess({ action: 'Ordering a certificate for', target, impact: 'Medium' }))) return;
  const known = (await administration.orders()).find((one) => isSame(one, order));
  const wish = { ...order, thumbprint: known?.thumbprint ?? '' };
  yield await present(context, store, await obtain(context, store, wish, { newKey: false, externalAccount }));
}

export async function* update(context: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
  refuseOthers(bound, ['DomainName', 'Force', 'NewKey']);
  const { administration, store } = await groundOf(context);
  const wanted = namesOf(bound);
  const force = isOn(bound, 'Force') || isOn(bound, 'NewKey');
  for (const order of await administration.orders()) {
    if (wanted.length > 0 && !wanted.some((name) => order.domains.includes(name))) continue;
    const target = order.domains.join(', ');
    if (order.held !== undefined && store.list().some(({ thumbprint }) => thumbprint === order.held?.thumbprint)) {
      const sisters = sistersOf(await administration.orders(), order);
      const next = await takeUp(context, store, { order, sisters }, Date.now());
      await keep(administration, next);
      yield await present(context, store, next);
    } else if (force || (await isDue(context, store, order))) {
      if (!(await context.shouldProcess({ action: 'Renewing the certificate for', target, impact: 'Medium' })))
        continue;
      yield await present(context, store, await obtain(context, store, order, { newKey: isOn(bound, 'NewKey') }));
    }
  }
}

export async function* show(context: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
  refuseOthers(bound, []);
  const { administration, store } = await groundOf(context);
  for (const order of await asked(() => administration.orders())) yield await present(context, store, order);
}

export async function* removeOrder(context: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
  refuseOthers(bound, ['DomainName', 'KeyAlgorithm']);
  const names = namesOf(bound);
  const algorithm = textOf(bound, 'KeyAlgorithm')?.toUpperCase();
  const { administration } = await groundOf(context);
  const orders = await asked(() => administration.orders());
  const gone = orders.filter(
    (one) => one.domains.join() === names.join() && (algorithm === undefined || one.algorithm === algorithm),
  );
  if (gone.length === 0) throw badArgument('DomainName', `No certificate for ${names.join(', ')} is renewed by ACME.`);
  if (!(await context.shouldProcess({ action: 'Ending the renewal of', target: names.join(', '), impact: 'High' })))
    return;
  await administration.keep(orders.filter((one) => !gone.includes(one)));
  for (const { thumbprint } of gone) told(context, thumbprint, names.join(', '));
  yield* [];
}

interface Ground {
  readonly administration: AcmeAdministration;
  readonly store: CertificateStore;
}

async function groundOf(context: CmdletContext): Promise<Ground> {
  if (context.acme === undefined) {
    throw new CmdletError('AcmeUnavailable', 'ResourceUnavailable', 'There is no certificate store here.');
  }
  return { administration: context.acme, store: await storeOf(context) };
}

function namesOf(bound: BoundParameters): readonly string[] {
  const names = textsOf(bound, 'DomainName')
    .flatMap((text) => text.toLowerCase().split(','))
    .map((name) => name.trim());
  const wrong = names.find(
    (name) => !/^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/.test(name),
  );
  if (wrong !== undefined) throw badArgument('DomainName', `'${wrong}' is not a host name such as mail.contoso.com.`);
  return [...new Set(names)];
}

async function orderOf(bound: BoundParameters): Promise<AcmeOrder> {
  const { checkedDirectoryUrl } = await import('../../certificates/acme/index.ts');
  const domains = namesOf(bound);
  if (domains.length === 0) throw missingArgument('DomainName', 'The host names of the certificate.');
  const url = textOf(bound, 'DirectoryUrl');
  if (url === undefined)
    throw missingArgument(
      'DirectoryUrl',
      "The authority's directory, such as https://acme-v02.api.letsencrypt.org/directory.",
    );
  const challenge = textOf(bound, 'Challenge')?.toLowerCase() === 'dns01' ? 'Dns01' : 'Http01';
  if (challenge === 'Http01' && domains.some((name) => name.startsWith('*.')))
    throw badArgument('Challenge', 'A wildcard needs Dns01 (RFC 8555 §7.1.3).');
  return {
    domains,
    directoryUrl: await asked(async () => checkedDirectoryUrl(url)),
    contact: textOf(bound, 'Contact') ?? '',
    challenge,
    algorithm: textOf(bound, 'KeyAlgorithm')?.toUpperCase() === 'RSA' ? 'RSA' : 'ECDSA',
    thumbprint: '',
  };
}

/** Both come with the account; the key is no part of the order and is not kept. */
function externalAccountOf(bound: BoundParameters): ExternalAccount | undefined {
  const keyId = textOf(bound, 'ExternalAccountKeyId');
  const key = bound.get('ExternalAccountKey');
  if (keyId === undefined && key === undefined) return undefined;
  if (keyId === undefined) throw missingArgument('ExternalAccountKeyId', 'The authority gave it with the key.');
  if (!(key instanceof SecureString))
    throw badArgument('ExternalAccountKey', 'It takes a SecureString: (Read-Host -AsSecureString).');
  return { keyId, key: key.reveal() };
}

/** Orders of the same names with a key of another algorithm: both certificates are shown side by side. */
function sistersOf(orders: readonly AcmeOrder[], order: AcmeOrder): readonly AcmeOrder[] {
  return orders.filter((one) => one.domains.join() === order.domains.join() && one.algorithm !== order.algorithm);
}

function isSame(a: AcmeOrder, b: AcmeOrder): boolean {
  return a.domains.join() === b.domains.join() && a.algorithm === b.algorithm;
}

async function keep(administration: AcmeAdministration, order: AcmeOrder): Promise<void> {
  const others = (await administration.orders()).filter((one) => !isSame(one, order));
  await administration.keep([...others, order]);
}

function currentOf(store: CertificateStore, { thumbprint }: AcmeOrder): CertificateEntry | undefined {
  return store.list().find((one) => one.thumbprint === thumbprint);
}

/** At the time that the authority names (RFC 9773), else when a third of the lifetime is left. */
async function isDue(context: CmdletContext, store: CertificateStore, order: AcmeOrder): Promise<boolean> {
  const { administration } = await groundOf(context);
  const current = currentOf(store, order);
  if (current === undefined) return true;
  const authorities = store.trustAnchors().pem;
  const { at, explanationUrl } = await administration.renewalTime(
    order,
    current.certificate,
    authorities,
    context.signal,
  );
  if (Date.now() < at) return false;
  if (explanationUrl !== '')
    context.warning(`The authority asks to renew the certificate for ${order.domains.join(', ')}: ${explanationUrl}`);
  return true;
}

/** Orders, imports and, where nothing speaks against it, takes up. What fails is kept with the order and thrown. */
async function obtain(
  context: CmdletContext,
  store: CertificateStore,
  order: AcmeOrder,
  { newKey, externalAccount }: { readonly newKey: boolean; readonly externalAccount?: ExternalAccount | undefined },
): Promise<AcmeOrder> {
  const { administration } = await groundOf(context);
  const current = currentOf(store, order);
  try {
    const keyOf = newKey ? undefined : current;
    const { entry, issuerBefore } = await asked(() => fetched(context, store, order, { keyOf, externalAccount }));
    told(context, entry.thumbprint, entry.certificate.subjectText);
    if (issuerBefore !== undefined && issuerBefore !== entry.certificate.issuerText)
      context.warning(
        `The authority changed the issuer: it was ${issuerBefore}, it is ${entry.certificate.issuerText}.`,
      );
    const services = current === undefined || current.services.length === 0 ? ['SMTP'] : current.services;
    const { failure: _over, ...rest } = order;
    const next = await takeUp(
      context,
      store,
      {
        order: { ...rest, held: { thumbprint: entry.thumbprint, services } },
        sisters: sistersOf(await administration.orders(), order),
      },
      Date.now(),
    );
    await keep(administration, next);
    return next;
  } catch (error) {
    await keep(administration, { ...order, failure: (error as Error).message.slice(0, 1_000) });
    throw error;
  }
}

async function fetched(
  context: CmdletContext,
  store: CertificateStore,
  order: AcmeOrder,
  { keyOf, externalAccount }: { keyOf: CertificateEntry | undefined; externalAccount?: ExternalAccount | undefined },
): Promise<{ readonly entry: CertificateEntry; readonly issuerBefore: string | undefined }> {
  const { subjectFrom } = await import('../../certificates/index.ts');
  const { administration } = await groundOf(context);
  const [first = ''] = order.domains;
  const wish = {
    // X.520: a common name has 64 letters at the most; without one the connector's Fqdn chooses.
    subject: first.length > 64 ? [] : subjectFrom(`CN=${first}`),
    dnsNames: order.domains,
    algorithm: order.algorithm,
    keyBits: 2048,
    friendlyName: 'ACME',
    exportable: false,
  };
  const request = await store.makeRequest(wish, keyOf?.thumbprint);
  try {
    const csr = request.pem.replaceAll('NEW CERTIFICATE REQUEST', 'CERTIFICATE REQUEST');
    const chain = await administration.request(
      order,
      csr,
      { authorities: store.trustAnchors().pem, externalAccount, replaced: currentOf(store, order)?.certificate },
      context.signal,
    );
    const imported = await store.importCertificates(Buffer.from(chain));
    if (imported.kind !== 'certificate')
      throw new CmdletError('AcmeAnswer', 'InvalidOperation', 'The authority sent no certificate for the key.');
    return { entry: imported.entry, issuerBefore: currentOf(store, order)?.certificate.issuerText };
  } catch (error) {
    if (store.requests().some(({ thumbprint }) => thumbprint === request.thumbprint))
      await store.remove(request.thumbprint);
    throw error;
  }
}

async function present(context: CmdletContext, store: CertificateStore, order: AcmeOrder): Promise<CmdletObject> {
  const { administration } = await groundOf(context);
  const current = currentOf(store, order);
  const renewal = current && (await administration.renewalTime(order, current.certificate, undefined, context.signal));
  return new CmdletObject('AcmeCertificate', [
    ['DomainName', order.domains],
    ['Thumbprint', order.thumbprint],
    ['NotAfter', current === undefined ? null : new Date(current.certificate.notAfter)],
    ['RenewAfter', renewal === undefined ? null : new Date(renewal.at)],
    ['RenewAfterBy', renewal === undefined ? '' : renewal.byAuthority ? 'Authority' : 'Rule'],
    [
      'Held',
      order.held === undefined
        ? ''
        : `${order.held.thumbprint}, ${order.held.seen === undefined ? 'its TLSA records are missing' : `its TLSA records are seen since ${new Date(order.held.seen).toISOString()}`}`,
    ],
    ['Failure', order.failure ?? ''],
    ['DirectoryUrl', order.directoryUrl],
    ['Challenge', order.challenge],
    ['KeyAlgorithm', order.algorithm],
    ['Contact', order.contact],
    ['Identity', order.domains.join(', ')],
  ]);
}
