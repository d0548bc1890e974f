/** Does a certificate stand for a host? RFC 6125 §6.4, RFC 9525 §6. */

/** Names of a certificate. */
interface CertificateNames {
  readonly dnsNames: readonly string[];
  readonly commonName: string;
}

/** By its dNSName entries; by the common name only when it has none, as Exchange does. A wildcard stands for one label. */
export function matchesHost({ dnsNames, commonName }: CertificateNames, host: string): boolean {
  const names = dnsNames.length > 0 ? dnsNames : [commonName];
  return names.some((name) => nameMatches(name, host));
}

/** One presented name against one host name. The wildcard is the whole leftmost label, above at least two others. */
export function nameMatches(presented: string, host: string): boolean {
  const [name, wanted] = [bare(presented), bare(host)];
  if (name === '' || wanted === '') return false;
  if (!name.startsWith('*.')) return name === wanted;
  const dot = wanted.indexOf('.');
  return dot > 0 && name.slice(2).includes('.') && wanted.slice(dot + 1) === name.slice(2);
}

/** The domain itself, its wildcard, or a host below it. */
export function nameInDomain(presented: string, domain: string): boolean {
  const [name, wanted] = [bare(presented), bare(domain)];
  return wanted !== '' && (name === wanted || name.endsWith(`.${wanted}`));
}

function bare(name: string): string {
  return asciiLowerCase(name).replace(/\.$/, '');
}

/** Host names fold in ASCII alone (RFC 4343): toLowerCase() makes a 'k' of KELVIN SIGN, which a stranger may choose. */
export function asciiLowerCase(name: string): string {
  return name.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}
