/** Names and places in the network as Exchange's objects have them: the members that scripts read. */
import { formatIp, type IpRange } from '../../base/index.ts';
import { StructuredValue } from '../values/structured-value.ts';

type Members = readonly (readonly [name: string, value: unknown])[];

/** Microsoft.Exchange.Data.IPBinding: a System.Net.IPEndPoint. */
export function bindingValue({ address, port }: { readonly address: string; readonly port: number }, text: string) {
  return new StructuredValue('IPBinding', text, [
    ['AddressFamily', address.includes(':') ? 'InterNetworkV6' : 'InterNetwork'],
    ['Address', address],
    ['Port', port],
  ]);
}

/** Microsoft.Exchange.Data.IPRange. */
export function ipRangeValue(range: IpRange): StructuredValue {
  const { family, first, last, text } = range;
  const [, prefix] = /\/(\d+)$/.exec(text.trim()) ?? [];
  return new StructuredValue('IPRange', text, [
    ['LowerBound', formatIp(family, first)],
    ['UpperBound', formatIp(family, last)],
    ['Netmask', prefix === undefined ? null : netmask(family, Number(prefix))],
    ['CIDRLength', prefix === undefined ? (first === last ? (family === 4 ? 32 : 128) : 0) : Number(prefix)],
    ['RangeFormat', rangeFormat(range)],
    ['Size', family === 4 || last - first < Number.MAX_SAFE_INTEGER ? Number(last - first) + 1 : null],
    ['Expression', text],
  ]);
}

function rangeFormat({ first, last, text }: IpRange): string {
  if (text.includes('/')) return 'CIDR';
  if (text.includes('(')) return 'Netmask';
  return text.includes('-') || first !== last ? 'LoHi' : 'SingleAddress';
}

function netmask(family: 4 | 6, prefix: number): string {
  const width = family === 4 ? 32n : 128n;
  const host = (1n << (width - BigInt(prefix))) - 1n;
  return formatIp(family, ((1n << width) - 1n) & ~host);
}

/** Microsoft.Exchange.Data.AddressSpace. */
export function addressSpaceValue(
  { type, address, cost }: { readonly type: string; readonly address: string; readonly cost: number },
  text: string,
): StructuredValue {
  const isSmtp = type === 'SMTP';
  return new StructuredValue('AddressSpace', text, [
    ['Type', type],
    ['Address', address],
    ['Cost', cost],
    ['Domain', isSmtp ? address.replace(/^\*\./, '') : null],
    ['IncludeSubDomains', isSmtp && address.startsWith('*')],
    ['IsSmtpType', isSmtp],
    ['IsX400Type', type.toUpperCase() === 'X400'],
    ['IsLocal', false],
  ]);
}

/** Microsoft.Exchange.Data.SmartHost. */
export function smartHostValue(
  text: string,
  { host, isAddress }: { readonly host: string; readonly isAddress: boolean },
) {
  return new StructuredValue('SmartHost', text, [
    ['IsIPAddress', isAddress],
    ['Address', isAddress ? host : null],
    ['Domain', isAddress ? null : domainValue(host)],
  ]);
}

/** Microsoft.Exchange.Data.SmtpDomain; `typeName` is Fqdn for the name of a host. */
export function domainValue(text: string, typeName = 'SmtpDomain'): StructuredValue {
  return new StructuredValue(typeName, text, [['Domain', text]]);
}

/** Microsoft.Exchange.Data.SmtpDomainWithSubdomains. */
export function domainPatternValue(text: string): StructuredValue {
  const isStar = text === '*';
  const bare = text.replace(/^\*\./, '');
  return new StructuredValue('SmtpDomainWithSubdomains', text, [
    ['Domain', bare],
    ['Address', text],
    ['SmtpDomain', isStar ? null : domainValue(bare)],
    ['IncludeSubDomains', isStar || text.startsWith('*.')],
    ['IsStar', isStar],
  ]);
}

/** Microsoft.Exchange.Data.SmtpAddress. */
export function smtpAddressValue(text: string): StructuredValue {
  const at = text.lastIndexOf('@');
  const members: Members = [
    ['Local', text.slice(0, at)],
    ['Domain', text.slice(at + 1)],
    ['Length', text.length],
    ['IsValidAddress', at > 0],
  ];
  return new StructuredValue('SmtpAddress', text, members);
}

/** Microsoft.Exchange.Data.SmtpX509Identifier: `<I>issuer<S>subject`. */
export function certificateNameValue(text: string): StructuredValue {
  const [, issuer = '', subject = ''] = /^<I>(.*)<S>(.*)$/.exec(text) ?? [];
  const [, commonName = null] = /(?:^|,\s*)CN=([^,]+)/i.exec(subject) ?? [];
  return new StructuredValue('SmtpX509Identifier', text, [
    ['CertificateIssuer', issuer],
    ['CertificateSubject', subject],
    ['SubjectCommonName', commonName === null ? null : domainValue(commonName)],
  ]);
}
