/** `edge tls test`, `verify` and `profiles`: options alone; what they do is loaded when it is asked for. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { defaultStateFolder } from '../processes/state/index.ts';
import type { CommandParts, Terminal } from './parts.ts';
import type { TestOptions, VerifyOptions } from './tls-test.ts';
import type { TrapCommandOptions } from './tls-trap.ts';

/** Adds the commands below `edge tls`. */
export function addTlsTest(
  tls: Command,
  parts: Pick<CommandParts, 'connectors'>,
  terminal: Terminal,
  finish: (status: number) => void,
): void {
  addTest(tls, parts, terminal, finish);
  addTrap(tls, terminal, finish);
  tls
    .command('verify')
    .description('is a signature that of a report')
    .argument('<report>', 'report of `edge tls test --json`')
    .argument('<signature>', 'detached JWS, as `edge tls test --sign` wrote it')
    .requiredOption('--key <file>', 'public key or certificate of who signed, PEM')
    .addHelpText(
      'after',
      '\nExit status: 0 it is, 1 it is not, 2 something cannot be read.\n\nExample:\n  edge tls verify report.json report.json.jws --key signer.pem',
    )
    .action(async (report: string, signature: string, { key }: { key: string }) => {
      const options: VerifyOptions = { report, signature, key };
      finish((await import('./tls-test.ts')).tlsVerify(options, terminal));
    });
  tls
    .command('profiles')
    .description('the standards that can be tested against')
    .argument('[name]', 'one profile: its rules, as JSON')
    .action(async (name: string | undefined) => finish((await import('./tls-test.ts')).tlsProfiles(name, terminal)));
}

function addTest(
  tls: Command,
  { connectors }: Pick<CommandParts, 'connectors'>,
  terminal: Terminal,
  finish: (status: number) => void,
): void {
  tls
    .command('test')
    .description('tests the TLS of mail endpoints from outside, against named standards')
    .argument(
      '<targets...>',
      'domain (its MX hosts are followed), host:port, address, [address]:port, receive connector, or a file of such lines',
    )
    .option(
      '--profile <names>',
      'profiles or files of own ones, parted by commas; mail-baseline is always added',
      'bcp195',
    )
    .addOption(
      new Option('--smtp', 'SMTP with STARTTLS, whatever the port').conflicts(['lmtp', 'smtps', 'ldap', 'tls']),
    )
    .addOption(new Option('--lmtp', 'LMTP with STARTTLS').conflicts(['smtps', 'ldap', 'tls']))
    .addOption(new Option('--smtps', 'SMTP inside TLS from the first octet, as on port 465').conflicts(['ldap', 'tls']))
    .addOption(new Option('--ldap', 'LDAP with StartTLS').conflicts(['tls']))
    .option('--tls', 'TLS from the first octet, without a mail protocol (LDAPS, HTTPS)')
    .addOption(
      new Option('--connector', 'the targets are receive connectors, whatever their names').conflicts([
        'smtp',
        'lmtp',
        'smtps',
        'ldap',
        'tls',
      ]),
    )
    .option('--state <dir>', 'state directory of the connectors; nothing else needs one', defaultStateFolder('use'))
    .option('--json', 'one report a line, as it is done (as --format json)', false)
    .addOption(
      new Option('--format <form>', 'form of the report')
        .choices(['text', 'json', 'csv', 'html', 'junit', 'sarif'])
        .default('text'),
    )
    .option('--output <file>', 'write the report there')
    .addOption(
      new Option('--fail-on <miss>', 'a miss from here on is exit status 1')
        .choices(['notice', 'warn', 'fail'])
        .default('fail'),
    )
    .option('--baseline <file>', 'report of an earlier run (--json): show only what changed since')
    .option('--sign <key>', 'private key, PEM: write a detached JWS beside the report (needs --output and JSON)')
    .option('--ca <file>', 'trust the authorities in this PEM file besides those of the system')
    .option('--name <name>', 'demand this <I>issuer<S>subject of each certificate')
    .option('--resolver <address>', 'resolver to ask; on loopback its word on DNSSEC is believed')
    .option('--trust-resolver', 'believe its word on DNSSEC wherever it is', false)
    .option('--ehlo <name>', 'name in EHLO; better one that your address has in DNS')
    .option('--parallel', 'no pauses: for hosts of your own', false)
    .option('--hosts <n>', 'hosts tested at the same time', wholeNumber, 4)
    .option('--time-limit <s>', 'for each endpoint, in seconds', wholeNumber, 600)
    .option('--reduced', 'versions, certificates and mail rules alone, for long lists', false)
    .option(
      '--resume <file>',
      'go on with this earlier output (--json): leave out what it holds, add to it where it is --output',
    )
    .option('--all', 'show rules that are met, too', false)
    .addHelpText(
      'after',
      `
Polite by default: one connection at a time to each host, a second apart, unclear answers tried three times with growing
pauses: two to five minutes for an endpoint. Each step is waited for 10 s (5 s with --parallel).

Exit status: 0 all met, 1 a rule missed at or above --fail-on, 2 something could not be tested, 64 usage; with --baseline too it is
that of all rules, whether they changed or not.

Examples:
  edge tls test example.com
  edge tls test mx1.example.com:25 --profile bsi-tr-03108-1,nist-sp-800-52r2 --json > report.json
  edge tls test 127.0.0.1:2525 --parallel --ca internal-ca.pem
  edge tls test 'From the Internet' --parallel
  edge tls test partners.txt --reduced --hosts 16 --json --output all.json --resume all.json
  edge tls test example.com --format html --output report.html`,
    )
    .action(async (targets: string[], options: Omit<TestOptions, 'targets'>) => {
      finish(await (await import('./tls-test.ts')).tlsTest({ ...options, targets }, connectors, terminal));
    });
}

function addTrap(tls: Command, terminal: Terminal, finish: (status: number) => void): void {
  tls
    .command('trap')
    .description('endpoints that are wrong in one way each: what does a sender still deliver to')
    .command('start')
    .description('run them until Ctrl-C, then report')
    .requiredOption('--domain <name>', 'domain whose zone leads senders here')
    .requiredOption('--addresses <list>', "16 addresses, parted by commas, or '127.0.77.1+16' for so many in a row")
    .option('--port <n>', 'SMTP port', portNumber, 25)
    .option('--policy-port <n>', 'port of the MTA-STS policies', portNumber, 443)
    .option('--root <file>', 'write the authority that the sender must trust there')
    .option('--json', 'one line for each endpoint at the end', false)
    .addHelpText(
      'after',
      `
Nothing that is sent is kept: content is thrown away and refused after its end. Prints the zone (MX, TLSA, MTA-STS) and one
recipient for each endpoint; reports which the sender delivered to, how, and whether it fell back to clear text.

Exit status: 0 only the good endpoint was delivered to, 1 others too, 2 no sender came or an address cannot be had, 64 usage.

Example:
  edge tls trap start --domain trap.example --addresses 192.0.2.1,192.0.2.2,… --root trap-root.pem`,
    )
    .action(async (options: TrapCommandOptions) =>
      finish(await (await import('./tls-trap.ts')).tlsTrap(options, terminal)),
    );
}

function portNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535)
    throw new InvalidArgumentError('a port from 1 to 65535 is needed');
  return value;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 86_400)
    throw new InvalidArgumentError('a whole number from 1 on is needed');
  return value;
}
