/**
 * The certificates of the server: the noun ExchangeCertificate, and which certificate a connector shows. What judges certificates is
 * loaded when one of them runs.
 */
import { knownCmdlet } from '../exchange-cmdlets.ts';
import { parametersOf } from '../parameters.ts';
import { type Cmdlet, loadedLater, type Parameter, quietly } from '../runtime.ts';
import { acmeCmdlets } from './acme-cmdlets.ts';

/** Our addition: Exchange's own cmdlet makes RSA keys only. */
const keyAlgorithm: Parameter = {
  name: 'KeyAlgorithm',
  type: 'String',
  allowed: ['RSA', 'ECDSA'],
  help: 'RSA (the default) or ECDSA on the curve P-256.',
};

const selectionParameters: readonly Parameter[] = [
  {
    name: 'Connector',
    type: 'String',
    position: 1,
    identityOf: 'ReceiveConnector',
    help: 'One connector by name or identity; without it all that show a certificate.',
  },
  { name: 'At', type: 'DateTime', help: 'The moment to look at; now without it.' },
];

const recordParameters: readonly Parameter[] = [
  {
    name: 'Thumbprint',
    type: 'String',
    position: 1,
    help: 'A certificate that is to be shown one day; without it those that receive connectors show now.',
  },
];

export const certificateCmdlets: readonly Cmdlet[] = [
  {
    name: 'New-ExchangeCertificate',
    synopsis: 'Makes a self-signed certificate, or a request for one of a certification authority.',
    parameters: [
      ...parametersOf(knownCmdlet('New-ExchangeCertificate'), undefined, {
        KeySize: { allowed: ['2048', '3072', '4096'] },
      }),
      keyAlgorithm,
    ],
    supportsShouldProcess: true,
    examples: [
      { line: 'New-ExchangeCertificate -Force', says: 'Self-signed, for the names of this server.' },
      {
        line: '$request = New-ExchangeCertificate -GenerateRequest -SubjectName "CN=mail.contoso.com, O=Contoso, C=US" -DomainName mail.contoso.com,contoso.com',
        says: 'A request to send to an authority. Its answer goes to Import-ExchangeCertificate.',
      },
      {
        line: 'New-ExchangeCertificate -KeyAlgorithm ECDSA -DomainName mail.contoso.com -Services SMTP -Force',
        says: 'With an ECDSA key, offered after STARTTLS.',
      },
    ],
    run: loadedLater(async () => (await import('./making.ts')).makeCertificate),
  },
  {
    name: 'Get-ExchangeCertificate',
    synopsis: 'Shows the certificates of this server, requests that wait, and authorities that were imported.',
    parameters: parametersOf(knownCmdlet('Get-ExchangeCertificate')),
    supportsShouldProcess: false,
    examples: [
      { line: 'Get-ExchangeCertificate', says: 'All of them.' },
      {
        line: 'Get-ExchangeCertificate | Format-List Subject,Thumbprint,Services,TlsCertificateName',
        says: 'With the name to write into a connector.',
      },
    ],
    run: loadedLater(async () => (await import('./existing.ts')).showCertificates),
  },
  {
    name: 'Import-ExchangeCertificate',
    synopsis: 'Takes a certificate with its key (PFX, PEM), the answer to a request, or an authority to trust.',
    parameters: parametersOf(knownCmdlet('Import-ExchangeCertificate'), undefined, {
      FileData: { mandatory: false },
      FileName: { mandatory: false, notImplementedYet: false },
      Instance: { mandatory: false },
    }),
    supportsShouldProcess: true,
    examples: [],
    run: loadedLater(async () => (await import('./transferring.ts')).importCertificate),
  },
  {
    name: 'Export-ExchangeCertificate',
    synopsis: 'Gives out a certificate with its key as a PFX, or a request again.',
    parameters: parametersOf(knownCmdlet('Export-ExchangeCertificate'), undefined, {
      Thumbprint: { mandatory: false },
      FileName: { notImplementedYet: false },
    }),
    supportsShouldProcess: true,
    examples: [],
    run: loadedLater(async () => (await import('./transferring.ts')).exportCertificate),
  },
  {
    name: 'Enable-ExchangeCertificate',
    synopsis: 'Sets what a certificate is for: with SMTP it is offered after STARTTLS.',
    parameters: parametersOf(knownCmdlet('Enable-ExchangeCertificate'), undefined, {
      Thumbprint: { mandatory: false },
    }),
    supportsShouldProcess: true,
    examples: [
      {
        line: "Get-ExchangeCertificate | Where-Object {$_.Status -eq 'Valid'} | Enable-ExchangeCertificate -Services SMTP -Force",
        says: 'Every one that is valid.',
      },
    ],
    run: (context, bound) => quietly(async () => (await import('./existing.ts')).enable(context, bound)),
  },
  {
    name: 'Remove-ExchangeCertificate',
    synopsis: 'Removes a certificate and its key, a request, or an imported authority.',
    parameters: parametersOf(knownCmdlet('Remove-ExchangeCertificate'), undefined, {
      Thumbprint: { mandatory: false },
    }),
    supportsShouldProcess: true,
    examples: [],
    run: (context, bound) => quietly(async () => (await import('./existing.ts')).remove(context, bound)),
  },
  {
    name: 'Test-TlsCertificateSelection',
    synopsis: 'Says for every certificate of the store whether a connector takes it, and why or why not.',
    parameters: selectionParameters,
    supportsShouldProcess: false,
    examples: [
      { line: 'Test-TlsCertificateSelection', says: 'Every connector, now.' },
      { line: 'Test-TlsCertificateSelection -At 2030-01-01', says: 'What will be shown then, if nothing changes.' },
    ],
    run: loadedLater(async () => (await import('./test-selection.ts')).showSelection),
  },
  {
    name: 'Get-TlsaRecord',
    synopsis:
      'Prints the TLSA records for the certificates that mail is received with, and says whether the DNS has them.',
    parameters: recordParameters,
    supportsShouldProcess: false,
    examples: [
      { line: 'Get-TlsaRecord | Format-List Line,Published', says: 'What to put into the zone, and what is there.' },
      { line: "Get-TlsaRecord | Where-Object { $_.Published -ne 'Yes' }", says: 'What is still to be put there.' },
    ],
    run: loadedLater(async () => (await import('./tlsa-record.ts')).showRecords),
  },
  {
    name: 'Test-MtaStsPolicy',
    synopsis: 'Says for each accepted domain whether senders find, believe and can obey our own MTA-STS policy.',
    parameters: [],
    supportsShouldProcess: false,
    examples: [
      { line: 'Test-MtaStsPolicy | Format-List Line,Faults', says: 'What to put into the zone, and what is wrong.' },
    ],
    run: loadedLater(async () => (await import('./mta-sts-policy.ts')).testPolicy),
  },
  {
    name: 'Get-DirectTrustServer',
    synopsis:
      'Lists the internal servers that are known by their keys (direct trust), and the connectors that know them.',
    parameters: [
      { name: 'Identity', type: 'String', position: 1, help: 'Name of one server, with or without its domain.' },
    ],
    supportsShouldProcess: false,
    examples: [
      {
        line: 'Get-DirectTrustServer | Format-List',
        says: 'Their keys, as `edge status` shows them, and certificates.',
      },
    ],
    run: loadedLater(async () => (await import('./direct-trust.ts')).showServers),
  },
  ...acmeCmdlets,
];
