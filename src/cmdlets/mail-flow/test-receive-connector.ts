/** Test-ReceiveConnector: which connector takes a client, what rights it has there, and each reply that it would get. Our addition. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { formatEndpoint, parseIp, systemClock } from '../../base/index.ts';
import {
  AcceptedDomainTable,
  acceptedDomain,
  type Binding,
  defaultsOf,
  type InternalServer,
  InternalServers,
  internalServerClass,
  type ReceiveConnector,
  receiveConnector,
  type TransportConfig,
  transportConfig,
} from '../../config/index.ts';
import type { CommandAnswer, Rehearsal, RehearsalParts } from '../../smtp-receive/what-if/index.ts';
import { listObjects, serverEntry } from '../directory-objects.ts';
import { badArgument, isOn, missingArgument, textOf, textsOf } from '../parameter-values.ts';
import { type BoundParameters, type Cmdlet, type CmdletContext, CmdletObject, type Parameter } from '../runtime.ts';
import { refuseOthers } from '../transport-objects.ts';
import { type LoggedOn, whoIs } from './logged-on.ts';
import { mechanismLine, missingExtensions, withoutStartTls } from './missing-extensions.ts';
import { rangeRemedy, replyRemedy, rightRemedy } from './receive-remedies.ts';

const parameters: readonly Parameter[] = [
  { name: 'RemoteIPAddress', type: 'IPAddress', position: 1, mandatory: true, help: 'Address of the client.' },
  {
    name: 'LocalEndpoint',
    type: 'String',
    help: 'Where it connects to: 192.0.2.1:25. Without it every binding of a connector is looked at.',
  },
  { name: 'Helo', type: 'String', help: 'What it says in EHLO; a name of its own without it.' },
  { name: 'UseTls', type: 'SwitchParameter', help: 'It goes on inside TLS, if STARTTLS gets it there.' },
  {
    name: 'TlsCertificate',
    type: 'String',
    help: 'Certificate that it shows behind STARTTLS, as PEM text; those of its issuers may follow.',
  },
  { name: 'RequireTls', type: 'SwitchParameter', help: 'It asks for REQUIRETLS (RFC 8689) in MAIL.' },
  {
    name: 'User',
    type: 'String',
    help: 'Account that it logs on with, or the SID of a user of the organization; the password is not looked at.',
  },
  { name: 'MailFrom', type: 'String', help: 'Sender; the null sender is <>.' },
  { name: 'RcptTo', type: 'MultiValuedProperty', multivalued: true, help: 'Recipients.' },
];

type Row = (kind: string, item: string, result: string, reason?: string, remedy?: string) => CmdletObject;

/** What a line asks. */
interface Question {
  readonly remoteAddress: string;
  readonly helo: string;
  readonly usesTls: boolean;
  /** What it shows, its own first; none: nothing. */
  readonly certificates: readonly Buffer[];
  readonly requiresTls: boolean;
  readonly user: string | undefined;
  readonly mailFrom: string | undefined;
  readonly rcptTo: readonly string[];
}

/** The same, with what was looked up for it. */
interface Rehearsed extends Omit<Question, 'user'> {
  readonly user: LoggedOn | undefined;
  readonly serverFqdn: string;
  /** An accepted domain; '' when there is none. */
  readonly domain: string;
}

/** What it is asked of. */
interface Ground {
  readonly connectors: readonly ReceiveConnector[];
  readonly domains: AcceptedDomainTable;
  readonly organization: TransportConfig;
  readonly internalServers: readonly InternalServer[];
  readonly serverFqdn: string;
  readonly parts: RehearsalParts;
}

export const testReceiveConnector: Cmdlet = {
  name: 'Test-ReceiveConnector',
  synopsis:
    'Says which receive connector takes a client, why not the others, its rights, each reply, and the line that would change it.',
  parameters,
  supportsShouldProcess: false,
  examples: [
    {
      line: 'Test-ReceiveConnector 192.0.2.9 -MailFrom a@example.com -RcptTo b@example.net',
      says: 'What a client at that address would be answered.',
    },
    {
      line: 'Test-ReceiveConnector 192.0.2.9 -UseTls -RequireTls -User printer -MailFrom a@example.com',
      says: 'The same inside TLS, where it logs on and asks for REQUIRETLS.',
    },
    {
      line: "Test-ReceiveConnector 192.0.2.9 | Where-Object {$_.Kind -eq 'Right'} | Format-Table Item,Result,Reason",
      says: 'Its rights, and by which entry.',
    },
  ],
  async *run(context, bound) {
    refuseOthers(
      bound,
      parameters.map(({ name }) => name),
    );
    const question = questionOf(bound);
    const ground = await groundOf(context);
    for (const endpoint of endpointsOf(bound, ground.connectors, question.remoteAddress)) {
      yield* answersAt(context, endpoint, question, ground);
    }
  },
};

function questionOf(bound: BoundParameters): Question {
  const remoteAddress = textOf(bound, 'RemoteIPAddress');
  if (remoteAddress === undefined) throw missingArgument('RemoteIPAddress', 'It is the address of the client.');
  try {
    parseIp(remoteAddress);
  } catch (error) {
    throw badArgument('RemoteIPAddress', (error as Error).message, error);
  }
  const pem = textOf(bound, 'TlsCertificate');
  const sender = textOf(bound, 'MailFrom');
  if (sender === undefined && bound.has('RcptTo'))
    throw missingArgument('MailFrom', 'Recipients are asked for behind it; the null sender is <>.');
  return {
    remoteAddress: remoteAddress.trim().replace(/^\[(.*)\]$/, '$1'),
    helo: textOf(bound, 'Helo') ?? 'client.example',
    usesTls: isOn(bound, 'UseTls') || pem !== undefined,
    certificates: pem === undefined ? [] : certificatesIn(pem),
    requiresTls: isOn(bound, 'RequireTls'),
    user: textOf(bound, 'User'),
    mailFrom: sender?.replace(/^<(.*)>$/, '$1'),
    rcptTo: textsOf(bound, 'RcptTo'),
  };
}

function certificatesIn(pem: string): readonly Buffer[] {
  try {
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [pem];
    return blocks.map((one) => new X509Certificate(one).raw);
  } catch (error) {
    throw badArgument('TlsCertificate', 'It is no certificate in PEM form: give (Get-Content client.pem -Raw).', error);
  }
}

async function groundOf(context: CmdletContext): Promise<Ground> {
  const server = await serverEntry(context, undefined);
  const below = `,${server.dn}`.toLowerCase();
  const connectors = (await listObjects(context, receiveConnector)).map(({ object }) => object);
  const domains = (await listObjects(context, acceptedDomain)).map(({ object }) => object);
  const [organization] = await listObjects(context, transportConfig);
  const { store } = context;
  const inside = await store.search(store.configurationDn, 'sub', `(objectClass=${internalServerClass})`);
  const address = server.values('networkAddress').find((one) => /^ncacn_ip_tcp:/i.test(one));
  return {
    connectors: connectors.filter(({ dn }) => dn.toLowerCase().endsWith(below)),
    domains: new AcceptedDomainTable(domains),
    organization: organization?.object ?? defaultsOf(transportConfig),
    internalServers: new InternalServers().read({ search: () => inside }, store.configurationDn),
    serverFqdn: address?.replace(/^.*?:/, '') ?? context.serverName,
    parts: { clock: systemClock, certificates: await certificatesOf(context) },
  };
}

async function certificatesOf({ certificates }: CmdletContext): Promise<RehearsalParts['certificates']> {
  if (certificates !== undefined) return certificates();
  const reason = 'there is no certificate store here';
  return {
    pick: ({ purpose }) => ({ event: { purpose, wanted: '', thumbprint: '', subject: '', reason, passedOver: [] } }),
  };
}

function endpointsOf(
  bound: BoundParameters,
  connectors: readonly ReceiveConnector[],
  remote: string,
): readonly Binding[] {
  const text = textOf(bound, 'LocalEndpoint');
  if (text !== undefined) {
    const [, address = '', port = ''] = /^\[?([0-9a-fA-F:.]+?)\]?:(\d{1,5})$/.exec(text) ?? [];
    if (isIP(address) === 0 || Number(port) < 1 || Number(port) > 65_535)
      throw badArgument('LocalEndpoint', `'${text}' is not an endpoint such as 192.0.2.1:25 or [2001:db8::1]:25.`);
    return [{ address, port: Number(port) }];
  }
  const all = new Map(connectors.flatMap(({ bindings }) => bindings.map((one) => [formatEndpoint(one), one] as const)));
  const sameFamily = [...all.values()].filter(({ address }) => address.includes(':') === remote.includes(':'));
  // A client of IPv6 reaches no binding of IPv4: what it would need is told of the usual one.
  return sameFamily.length > 0 ? sameFamily : [{ address: remote.includes(':') ? '::' : '0.0.0.0', port: 25 }];
}

async function* answersAt(
  context: CmdletContext,
  endpoint: Binding,
  question: Question,
  ground: Ground,
): AsyncIterable<CmdletObject> {
  // The session is heavy: a prompt must not wait for it.
  const { ConnectorTable, coveringBinding, organizationLimits, Rehearsal } = await import(
    '../../smtp-receive/what-if/index.ts'
  );
  const choice = new ConnectorTable(ground.connectors).choose(endpoint, question.remoteAddress);
  const local = formatEndpoint(endpoint);
  const row: Row = (kind, item, result, reason = '', remedy = '') =>
    new CmdletObject('ReceiveConnectorTest', [
      ['LocalEndpoint', local],
      ['Connector', choice.kind === 'chosen' ? choice.connector.identity : ''],
      ['Kind', kind],
      ['Item', item],
      ['Result', result],
      ['Reason', reason],
      ['Remedy', remedy],
      ['Identity', `${local} ${kind} ${item}`],
    ]);
  if (choice.kind === 'none') {
    yield row(
      'Connector',
      '(none)',
      '421 4.3.2 Service not available',
      choice.reason,
      rangeRemedy(
        endpoint,
        question,
        ground.connectors.filter((one) => coveringBinding(one, endpoint) !== undefined),
      ),
    );
    return;
  }
  const { connector, range, binding, passedOver } = choice;
  yield row(
    'Connector',
    connector.identity,
    'chosen',
    `${range} of RemoteIPRanges is the most specific one on ${binding}`,
  );
  for (const { name, reason } of passedOver) yield row('Connector', name, 'passed over', reason);
  const { domains, organization, serverFqdn } = ground;
  const secureDomains = organization.tlsReceiveDomainSecureList;
  const limits = organizationLimits(organization);
  const { remoteAddress } = question;
  const session = {
    connector,
    domains,
    secureDomains,
    internalServers: ground.internalServers,
    limits,
    serverFqdn,
    localAddress: endpoint.address,
    remoteAddress,
  };
  const user = question.user === undefined ? undefined : await whoIs(context, question.user);
  yield* repliesOf(
    new Rehearsal(session, ground.parts),
    connector,
    { ...question, user, serverFqdn, domain: domains.default ?? '' },
    row,
  );
  yield* notTested(context, connector, row);
}

async function* repliesOf(
  session: Rehearsal,
  connector: ReceiveConnector,
  question: Rehearsed,
  row: Row,
): AsyncIterable<CmdletObject> {
  const shown = ({ command, reply, reason }: CommandAnswer): CmdletObject =>
    row(
      'Reply',
      command === '' ? '(connection)' : command,
      reply === '' ? 'not reached' : reply,
      reply === '' ? 'the session has ended' : reason,
      replyRemedy({ connector, principal: session.principal.name, command, reply, reason, domain: question.domain }),
    );
  const state = () => ({
    connector,
    fqdn: connector.fqdn ?? question.serverFqdn,
    secure: session.secure,
    withoutCertificate: session.withoutCertificate,
  });
  const greeted = async (): Promise<readonly CmdletObject[]> => {
    const answer = await session.say(`EHLO ${question.helo}`);
    if (!answer.reply.startsWith('250')) return [shown(answer)];
    const missing = missingExtensions(answer.reply, state());
    return [
      shown(answer),
      ...missing.map(({ name, reason, remedy }) => row('Extension', name, 'not offered', reason, remedy)),
    ];
  };
  yield shown(await session.greeting(Date.now()));
  yield* await greeted();
  if (question.usesTls) {
    const started = await session.say('STARTTLS');
    const refused = /^(?:454|502)/.test(started.reply);
    const { reason, remedy } = refused ? withoutStartTls(state()) : { reason: started.reason, remedy: '' };
    yield refused ? row('Reply', 'STARTTLS', started.reply, reason, remedy) : shown(started);
    if (started.reply.startsWith('220')) {
      session.secured({ certificates: question.certificates, opensslError: '' });
      if (!session.ended) yield* await greeted();
    } else yield row('Reply', '(TLS)', 'not reached', 'what follows is in clear, and no certificate is shown');
  }
  if (question.user !== undefined) yield* logOn(session, connector, question.user, row);
  const parameter = question.requiresTls ? ' REQUIRETLS' : '';
  if (question.mailFrom !== undefined) yield shown(await session.say(`MAIL FROM:<${question.mailFrom}>${parameter}`));
  for (const recipient of question.mailFrom === undefined ? [] : question.rcptTo)
    yield shown(await session.say(`RCPT TO:<${recipient}>`));
  // At the end: MAIL may have made a partner of the client.
  const { decisionOf } = await import('../../smtp-receive/what-if/index.ts');
  for (const { right, granted, by } of decisionOf(connector, session.principal)) {
    const remedy = granted ? '' : rightRemedy(connector, session.principal.name, right, by);
    yield row('Right', right, granted ? 'held' : 'not held', by, remedy);
  }
}

async function* logOn(
  session: Rehearsal,
  connector: ReceiveConnector,
  { name, sids, known }: LoggedOn,
  row: Row,
): AsyncIterable<CmdletObject> {
  const { reply, reason } = await session.say('AUTH LOGIN');
  if (!reply.startsWith('334')) {
    const remedy = reply.startsWith('538')
      ? `Set-ReceiveConnector '${connector.identity}' -AuthMechanism Tls,BasicAuth # passwords in clear; inside TLS (-UseTls) it logs on as it is`
      : mechanismLine(connector, 'Tls', 'BasicAuth', 'BasicAuthRequireTLS');
    yield row('Reply', 'AUTH LOGIN', reply, reason, remedy);
    return;
  }
  await session.say('*');
  session.become({ name, sids });
  yield row('Reply', 'AUTH LOGIN', 'not-tested', `the password; what follows is as if it were right: ${known}`);
}

/** What depends on the load, and on what others do at the time. */
async function* notTested(context: CmdletContext, connector: ReceiveConnector, row: Row): AsyncIterable<CmdletObject> {
  const { maxInboundConnectionPerSource, maxInboundConnection, messageRateLimit } = connector;
  const limit = (value: number): string => (value === Infinity ? 'Unlimited' : String(value));
  const counts = 'it depends on what is open at the time';
  yield row('Load', `MaxInboundConnection ${limit(maxInboundConnection)}`, 'not-tested', counts);
  yield row('Load', `MaxInboundConnectionPerSource ${limit(maxInboundConnectionPerSource)}`, 'not-tested', counts);
  yield row(
    'Load',
    `MessageRateLimit ${limit(messageRateLimit)}`,
    'not-tested',
    'it depends on what was sent in the last minute',
  );
  yield row(
    'Load',
    'agents',
    'not-tested',
    'they judge the message itself, and recipients by what EdgeSync replicated',
  );
  if (context.transport === undefined) {
    yield row('Load', 'back pressure', 'not-tested', 'the service does not run');
    return;
  }
  const raised = (await context.transport.resources()).filter(({ level }) => level !== 'Low');
  const texts = raised.map(({ worker, resource, level }) => `${resource} is ${level} in ${worker}`);
  yield row('Load', 'back pressure', raised.length === 0 ? 'Low' : 'raised', texts.join('; '));
}
