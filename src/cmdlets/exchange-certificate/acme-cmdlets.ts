/** New-, Update-, Get- and Remove-AcmeCertificate: certificates by ACME (RFC 8555). What orders them is loaded when one runs. */
import { type Cmdlet, loadedLater, type Parameter } from '../runtime.ts';

const domainName: Parameter = {
  name: 'DomainName',
  type: 'MultiValuedProperty',
  position: 1,
  help: 'Host names of the certificate.',
};
const keyAlgorithm: Parameter = {
  name: 'KeyAlgorithm',
  type: 'String',
  allowed: ['ECDSA', 'RSA'],
  help: 'ECDSA (the default) or RSA, 2048 bits.',
};
const orderParameters: readonly Parameter[] = [
  domainName,
  {
    name: 'DirectoryUrl',
    type: 'String',
    help: "The authority's directory: https://acme-v02.api.letsencrypt.org/directory.",
  },
  { name: 'Contact', type: 'String', help: 'Mail address that the authority may write to.' },
  {
    name: 'Challenge',
    type: 'String',
    allowed: ['Http01', 'Dns01'],
    help: 'How control of the names is shown: by a file on their web server (the default) or by a TXT record. The program EDGE_ACME_HOOK of the service puts it there.',
  },
  keyAlgorithm,
  {
    name: 'ExternalAccountKeyId',
    type: 'String',
    help: 'Id of the key by which the authority knows its customer (external account binding); for the first order alone.',
  },
  { name: 'ExternalAccountKey', type: 'SecureString', help: 'That key, as the authority gave it (base64url).' },
  { name: 'TermsOfServiceAgreed', type: 'SwitchParameter', help: "The authority's terms are agreed to." },
];

export const acmeCmdlets: readonly Cmdlet[] = [
  {
    name: 'New-AcmeCertificate',
    synopsis: 'Orders a certificate by ACME, takes it up, and keeps it renewed with the same key.',
    parameters: orderParameters,
    supportsShouldProcess: true,
    examples: [],
    run: loadedLater(async () => (await import('./acme.ts')).order),
  },
  {
    name: 'Update-AcmeCertificate',
    synopsis:
      'Renews the certificates by ACME that are due, and takes up those that were held back. The service does so every hour.',
    parameters: [
      domainName,
      { name: 'Force', type: 'SwitchParameter', help: 'Renews those that are not due as well.' },
      {
        name: 'NewKey',
        type: 'SwitchParameter',
        help: 'With another key: shown two TTLs after its TLSA records are in the DNS.',
      },
    ],
    supportsShouldProcess: true,
    examples: [{ line: 'Update-AcmeCertificate', says: 'What the service does every hour.' }],
    run: loadedLater(async () => (await import('./acme.ts')).update),
  },
  {
    name: 'Get-AcmeCertificate',
    synopsis: 'Prints the certificates that are renewed by ACME, and what holds a new one back.',
    parameters: [],
    supportsShouldProcess: false,
    examples: [
      {
        line: 'Get-AcmeCertificate | Format-List',
        says: 'Names, authority, the certificate in force, the last failure.',
      },
    ],
    run: loadedLater(async () => (await import('./acme.ts')).show),
  },
  {
    name: 'Remove-AcmeCertificate',
    synopsis: 'Ends the renewal by ACME. The certificate stays (Remove-ExchangeCertificate).',
    parameters: [domainName, { ...keyAlgorithm, help: 'Of this key algorithm alone; without it all for the names.' }],
    supportsShouldProcess: true,
    examples: [],
    run: loadedLater(async () => (await import('./acme.ts')).removeOrder),
  },
];
