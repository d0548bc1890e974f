/**
 * The subscription file: Exchange's eleven elements, XML. Times are .NET ticks as Exchange writes them. Read by a parser that
 * knows no DTD entities and fetches nothing; the password in it is in clear, as Exchange's is: it lives a day and works once.
 */
import { hash, X509Certificate } from 'node:crypto';
import { SaxesParser } from 'saxes';

export interface SubscriptionFile {
  /** Short name of the edge: the name of the subscription. */
  readonly edgeServerName: string;
  readonly edgeServerFqdn: string;
  /** The certificate of the edge, DER: its key is pinned. */
  readonly certificate: Buffer;
  /** DN of the bootstrap account. */
  readonly username: string;
  readonly password: string;
  /** Milliseconds since 1970, and how long from then. */
  readonly effectiveDate: number;
  readonly durationMs: number;
  readonly adamSslPort: number;
  readonly productId: string;
  readonly versionNumber: number;
  readonly serialNumber: string;
}

/** A file that is no subscription file, or none that may be used. */
export class SubscriptionFileError extends Error {
  override readonly name = 'SubscriptionFileError';
}

const rootElement = 'EdgeSubscriptionData';
const elements = [
  'EdgeServerName',
  'EdgeServerFQDN',
  'EdgeCertificateBlob',
  'ESRAUsername',
  'ESRAPassword',
  'EffectiveDate',
  'Duration',
  'AdamSslPort',
  'ProductID',
  'VersionNumber',
  'SerialNumber',
] as const;
type ElementName = (typeof elements)[number];
/** Largest file read, in bytes. */
const maxBytes = 256 * 1024;
/** Ticks of 100 ns from year 1 to 1970. */
const epochTicks = 621_355_968_000_000_000n;

const ticksOf = (ms: number): string => String(BigInt(Math.round(ms)) * 10_000n + epochTicks);
const escapeXml = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** The file's octets. */
export function writeSubscriptionFile(file: SubscriptionFile): Buffer {
  const values: Record<ElementName, string> = {
    EdgeServerName: file.edgeServerName,
    EdgeServerFQDN: file.edgeServerFqdn,
    EdgeCertificateBlob: file.certificate.toString('base64'),
    ESRAUsername: file.username,
    ESRAPassword: file.password,
    EffectiveDate: ticksOf(file.effectiveDate),
    Duration: String(BigInt(file.durationMs) * 10_000n),
    AdamSslPort: String(file.adamSslPort),
    ProductID: file.productId,
    VersionNumber: String(file.versionNumber),
    SerialNumber: file.serialNumber,
  };
  const lines = elements.map((name) => `  <${name}>${escapeXml(values[name])}</${name}>`);
  return Buffer.from(`<?xml version="1.0"?>\n<${rootElement}>\n${lines.join('\n')}\n</${rootElement}>\n`);
}

/** What the edge keeps of the file, and the inside presents: one octet altered, and the bootstrap account does not bind. */
export function bootstrapSecret(password: string, file: Buffer): string {
  return `${password}.${hash('sha256', file, 'base64url')}`;
}

/** Reads a file. Throws SubscriptionFileError. */
export function readSubscriptionFile(octets: Buffer): SubscriptionFile {
  if (octets.length > maxBytes)
    throw new SubscriptionFileError(`it has ${octets.length} octets: no subscription file is so long`);
  const values = elementsOf(octets.toString('utf8').replace(/^\uFEFF/, ''));
  const text = (name: ElementName): string => {
    const value = values.get(name);
    if (value === undefined) throw new SubscriptionFileError(`the element ${name} is missing`);
    return value;
  };
  const number = (name: ElementName): bigint => {
    if (!/^\d{1,20}$/.test(text(name)))
      throw new SubscriptionFileError(`'${text(name).slice(0, 40)}' in ${name} is no number`);
    return BigInt(text(name));
  };
  const certificate = Buffer.from(text('EdgeCertificateBlob'), 'base64');
  if (certificate.length < 100) throw new SubscriptionFileError('EdgeCertificateBlob holds no certificate');
  const port = Number(number('AdamSslPort'));
  if (port < 1 || port > 65_535) throw new SubscriptionFileError(`${port} in AdamSslPort is no port`);
  return {
    edgeServerName: named(text('EdgeServerName'), 'EdgeServerName'),
    edgeServerFqdn: named(text('EdgeServerFQDN'), 'EdgeServerFQDN'),
    certificate,
    username: text('ESRAUsername'),
    password: text('ESRAPassword'),
    effectiveDate: Number((number('EffectiveDate') - epochTicks) / 10_000n),
    durationMs: Number(number('Duration') / 10_000n),
    adamSslPort: port,
    productId: text('ProductID'),
    versionNumber: Number(number('VersionNumber')),
    serialNumber: text('SerialNumber'),
  };
}

/** Names go into DNs, file names and messages: letters, digits, dots and hyphens are all that a host has. */
function named(text: string, element: ElementName): string {
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,252}$/u.test(text)) {
    throw new SubscriptionFileError(`'${text.slice(0, 60)}' in ${element} is no name of a server`);
  }
  return text;
}

function elementsOf(text: string): ReadonlyMap<ElementName, string> {
  const values = new Map<ElementName, string>();
  const path: string[] = [];
  let current = '';
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw new SubscriptionFileError(`it is not XML: ${error.message}`);
  });
  parser.on('doctype', () => {
    throw new SubscriptionFileError('it has a document type declaration, which a subscription file has not');
  });
  parser.on('opentag', ({ name }) => {
    path.push(name);
    current = '';
    if (path.length === 1 && name !== rootElement)
      throw new SubscriptionFileError(`its root is ${name}, not ${rootElement}`);
    if (path.length > 2) throw new SubscriptionFileError(`the element ${name} does not belong there`);
  });
  parser.on('text', (piece) => {
    current += piece;
  });
  parser.on('closetag', ({ name }) => {
    path.pop();
    if (path.length !== 1) return;
    const known = elements.find((one) => one === name);
    if (known === undefined) throw new SubscriptionFileError(`the element ${name.slice(0, 40)} is not known`);
    if (values.has(known)) throw new SubscriptionFileError(`the element ${known} is there twice`);
    values.set(known, current.trim());
  });
  parser.write(text).close();
  return values;
}

/** Why a file may not be used now; undefined when it may. */
export function unusableReason({ effectiveDate, durationMs }: SubscriptionFile, now: number): string | undefined {
  if (now >= effectiveDate + durationMs) {
    return `it expired ${new Date(effectiveDate + durationMs).toISOString()}: make a new one on the edge with New-EdgeSubscription`;
  }
  // The clocks of edge and inside may differ.
  return now < effectiveDate - 3_600_000 ? 'it is not in force yet: compare the clocks of edge and inside' : undefined;
}

/** The certificate of the file. Throws SubscriptionFileError for octets that are none. */
export function certificateIn(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    throw new SubscriptionFileError('EdgeCertificateBlob holds no certificate');
  }
}
