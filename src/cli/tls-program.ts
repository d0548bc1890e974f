/** `edge tls`: certificates and TLS, from the outside and without a running service. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandParts, Terminal } from './parts.ts';
import { addTlsTest } from './tls-test-program.ts';

/** Adds `tls` and its commands. */
export function addTls(
  program: Command,
  parts: Pick<CommandParts, 'connectors'>,
  terminal: Terminal,
  finish: (status: number) => void,
): void {
  const tls = program.command('tls').description('certificates and TLS policy');
  tls
    .command('match')
    .description('does a certificate satisfy a TlsCertificateName, and if not, where is the first difference')
    .argument('[files...]', 'certificates, PEM or DER; a chain stands for its leaf')
    .option('--name <name>', 'TlsCertificateName: <I>issuer<S>subject', once())
    .addOption(
      new Option(
        '--key <which>',
        "'any': look at the name alone; 'own': the file's key, if it has one, must belong to it",
      )
        .choices(['own', 'any'])
        .default('own'),
    )
    .option('--print', 'print the name to paste into Set-ReceiveConnector -TlsCertificateName', false)
    .option(
      '--jsonl',
      'read {"id","cert","name"} lines on standard input (cert is a path), answer each with {"id","match","reason"}',
      false,
    )
    .addHelpText(
      'after',
      `
Exit status: 0 every certificate satisfies the name, 1 one does not, 2 something cannot be read, 64 usage.

Examples:
  edge tls match --print new.pem
  edge tls match --name '<I>CN=R11, O=Let''s Encrypt, C=US<S>CN=mail.contoso.com' new.pem
  edge tls match --name "$name" --key any /etc/ssl/certs/*.pem
  edge tls match --jsonl < pairs.jsonl`,
    )
    .action(async (files: string[], options: { name?: string; key: 'own' | 'any'; print: boolean; jsonl: boolean }) =>
      finish(await (await import('./tls-match.ts')).tlsMatch({ ...options, files }, terminal, process.stdin)),
    );
  tls
    .command('report')
    .description('TLS reports (RFC 8460) that others sent: what failed on the way to us')
    .argument('<files...>', 'JSON, gzipped JSON, or the mail that brought it')
    .option('--json', 'one line of JSON for each', false)
    .addHelpText(
      'after',
      `
Exit status: 0 every session went well, 1 one did not, 2 something is no report, 64 usage.

Examples:
  edge tls report google.com!contoso.com!1732492800!1732579199.json.gz
  edge tls report --json ~/Maildir/new/* | jq .policies`,
    )
    .action(async (files: string[], { json }: { json: boolean }) =>
      finish(await (await import('./tls-report.ts')).tlsReport(files, json, terminal)),
    );
  addTlsTest(tls, parts, terminal, finish);
}

/** An option that may be given once: of two names one would be ignored. */
function once(): (value: string, previous: string | undefined) => string {
  return (value, previous) => {
    if (previous !== undefined) throw new InvalidArgumentError('give one name');
    return value;
  };
}
