/**
 * The main job to look at: an Edge appliance and, as its internal hub, a second instance of the same program in the Mailbox
 * role, on loopback ports. Real messages go through, the path of each is shown, and both stay up until Ctrl-C.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Chain, type DecisionEvent, type EventKind, type EventOf, findChains } from '../logs/index.ts';
import { ManagementClient } from '../management/client/index.ts';
import { barrier, findAccount, lockHolder, statePaths } from '../processes/index.ts';
import { type LabMessage, sendMessage } from './lab-client.ts';

const command = fileURLToPath(new URL('../bin/edge', import.meta.url));
const samples = fileURLToPath(new URL('./messages/', import.meta.url));
const root = process.getuid?.() === 0 ? '/var/lib/edge-lab' : join(homedir(), '.local/state/edge-lab');
const server = (hostname().split('.')[0] ?? 'edge').toUpperCase();

interface Server {
  readonly title: string;
  readonly role: 'EdgeTransport' | 'Mailbox';
  readonly state: string;
  readonly port: number;
  readonly lines: readonly string[];
}

/** Ports of the loopback that nobody listens on, from the usual ones up. */
async function freePorts(...preferred: readonly number[]): Promise<number[]> {
  const taken = new Set<number>();
  const ports: number[] = [];
  for (const first of preferred) {
    let port = first;
    while (taken.has(port) || !(await isFree(port))) port++;
    taken.add(port);
    ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  probe.once('error', () => resolve(false));
  probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  return promise;
}

const [edgePort = 0, hubPort = 0, edgeLdap = 0, hubLdap = 0, edgeLdaps = 0, hubLdaps = 0] = await freePorts(
  2525,
  2526,
  50_389,
  50_390,
  50_636,
  50_637,
);

const hub: Server = {
  title: 'hub',
  role: 'Mailbox',
  state: join(root, 'hub'),
  port: hubPort,
  lines: [
    `ConfigureAdam.ps1 -LdapPort ${hubLdap} -SslPort ${hubLdaps}`,
    `Set-ReceiveConnector "Default ${server}" -Bindings 127.0.0.1:${hubPort} -PermissionGroups AnonymousUsers,ExchangeServers`,
    'Set-TransportService -MaxConnectionRatePerMinute 100000',
    'New-AcceptedDomain -Name "Corp" -DomainName corp.example -DomainType Authoritative',
  ],
};

const appliance: Server = {
  title: 'edge',
  role: 'EdgeTransport',
  state: join(root, 'edge'),
  port: edgePort,
  lines: [
    `ConfigureAdam.ps1 -LdapPort ${edgeLdap} -SslPort ${edgeLdaps}`,
    `Set-ReceiveConnector "Default internal receive connector ${server}" -Bindings 127.0.0.1:${edgePort} -ProtocolLoggingLevel Verbose -MessageRateLimit Unlimited`,
    'Set-TransportService -MaxConnectionRatePerMinute 100000',
    'New-AcceptedDomain -Name "Corp" -DomainName corp.example -DomainType Authoritative',
    `New-SendConnector -Name "To the hub" -Usage Internal -AddressSpaces "SMTP:--;1" -DNSRoutingEnabled $false -SmartHosts "[127.0.0.1]" -Port ${hubPort}`,
  ],
};

const say = (text = ''): void => void process.stdout.write(`${text}\n`);
const bold = (text: string): string =>
  process.stdout.isTTY && !process.env['NO_COLOR'] ? `\x1b[1m${text}\x1b[0m` : text;

/** Makes a server anew, by the lines that an administrator would type. */
async function setUp({ title, role, state, lines }: Server): Promise<void> {
  const holder = lockHolder(statePaths(state));
  if (holder !== undefined) throw new Error(`the demonstration runs already (process ${holder}): stop it by Ctrl-C`);
  rmSync(state, { recursive: true, force: true });
  say(bold(`Setting up the ${title} (${role}) with management-shell lines:`));
  for (const line of lines) say(`  [PS] ${line}`);
  const all = lines.flatMap((line) => ['-c', line]);
  const { stdout } = await promisify(execFile)(command, ['shell', '--state', state, '--role', role, ...all]);
  if (stdout.trim() !== '') say(stdout.trimEnd().replace(/^/gm, '    '));
}

/** Account of the demonstration when root runs it: no other program uses it. */
const labAccount = 'edge-lab';

/** Where no other account can read the program (a clone in root's home), the services stay root: this is a demonstration. */
function userOption(): string[] {
  if (process.getuid?.() !== 0) return [];
  if (barrier(samples, { name: '', uid: -1, gid: -1 }) !== undefined) return ['--user', 'root'];
  try {
    findAccount(labAccount);
  } catch {
    execFileSync('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', labAccount]);
  }
  return ['--user', labAccount];
}

/** Starts a server; resolves when it is ready. What it says afterwards goes to standard error. */
async function startUp({ title, role, state }: Server): Promise<ChildProcess> {
  const child = spawn(command, ['start', '--state', state, '--role', role, ...userOption()], {
    stdio: ['ignore', 'inherit', 'pipe'],
    detached: true,
  });
  const ready = Promise.withResolvers<void>();
  createInterface({ input: child.stderr }).on('line', (line) => {
    process.stderr.write(`${title}: ${line.replace(/^edge: /, '')}\n`);
    if (line.includes(' is ready')) ready.resolve();
  });
  child.once('exit', () => ready.reject(new Error(`the ${title} did not start`)));
  await ready.promise;
  return child;
}

/** The messages of messages/, and one of 5 MB that is made here. */
function messages(): { name: string; message: LabMessage }[] {
  const sample = (name: string, parameters = '', from = 'ada@sender.example', to = 'bob@corp.example') => ({
    name,
    message: { from, to: [to], parameters, content: readFileSync(join(samples, `${name}.eml`)) },
  });
  const line = 'Five megabytes of the same line, to see a message that is streamed to a file.\r\n';
  const big = `From: ada@sender.example\r\nTo: bob@corp.example\r\nSubject: 5 MB\r\nMessage-ID: <big-1@sender.example>\r\n\r\n`;
  return [
    sample('plain'),
    sample('multipart'),
    sample('8bit', 'BODY=8BITMIME'),
    sample('smtputf8', 'BODY=8BITMIME SMTPUTF8', 'jörg@sender.example', 'χρήστης@corp.example'),
    sample('dkim'),
    {
      name: '5 MB',
      message: {
        from: 'ada@sender.example',
        to: ['bob@corp.example', 'carol@corp.example'],
        parameters: '',
        content: Buffer.from(big + line.repeat(Math.ceil((5 * 1024 ** 2) / line.length))),
      },
    },
  ];
}

type Row = Record<
  'message' | 'connector' | 'rights' | 'queue' | 'next hop' | 'tls' | 'reply' | 'in the mailbox',
  string
>;

/** Sends one message and follows it: through the edge by its decisions, to the hub by the mailbox it lies in. */
async function follow(name: string, message: LabMessage): Promise<Row> {
  const accepted = await sendMessage('127.0.0.1', appliance.port, message);
  const id = /InternalId=(\d+)/.exec(accepted)?.[1] ?? '';
  const chain = await chainOf(id);
  const find = <K extends EventKind>(kind: K): EventOf<K> | undefined =>
    chain?.events.find((event: DecisionEvent): event is EventOf<K> & DecisionEvent => event.kind === kind);
  const delivered = find('delivered');
  const found = await arrival(message);
  return {
    message: `${name}, ${message.content.length} bytes`,
    connector: find('connector-chosen')?.connector ?? '?',
    rights:
      chain?.events
        .flatMap((event) =>
          event.kind === 'right-checked' && event.granted ? [event.right.replace('ms-Exch-', '')] : [],
        )
        .join(', ') ?? '?',
    queue: find('route-chosen')?.hop ?? '?',
    'next hop': delivered?.remote ?? '?',
    tls: found.tls,
    reply: delivered?.replies[0]?.slice(0, 40) ?? '?',
    'in the mailbox': found.text,
  };
}

async function chainOf(id: string): Promise<Chain | undefined> {
  const paths = statePaths(appliance.state);
  using client = await ManagementClient.connect(paths);
  for (let tries = 0; tries < 100; tries++) {
    await client.call('flush-logs', undefined);
    const [chain] = await findChains(join(paths.logs, 'Decisions'), { kind: 'message', text: id }, 1);
    if (chain?.events.some(({ kind }) => ['delivered', 'failed', 'deferred'].includes(kind))) return chain;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return undefined;
}

/** Compares what lies in the mailboxes with what was sent: the end of the file must be the message, octet for octet. */
async function arrival({ to, content }: LabMessage): Promise<{ text: string; tls: string }> {
  const folder = statePaths(hub.state).mailboxes;
  for (let tries = 0; tries < 100; tries++) {
    const found = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.parentPath.endsWith('/new'))
      .filter((entry) => readFileSync(join(entry.parentPath, entry.name)).subarray(-content.length).equals(content));
    const [first] = found;
    if (first !== undefined && found.length === to.length) {
      // The hub's Received field tells how the edge came to it.
      const head = readFileSync(join(first.parentPath, first.name)).subarray(0, 2_000).toString('latin1');
      const tls = /version=(TLS\w+)/.exec(head)?.[1] ?? 'none';
      return { text: to.length === 1 ? 'identical' : `identical, ${to.length} copies`, tls };
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { text: 'NOT FOUND', tls: '?' };
}

function table(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {}) as (keyof Row)[];
  const widths = columns.map((column) => Math.max(column.length, ...rows.map((row) => row[column].length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [
    bold(line(columns)),
    line(widths.map((width) => '-'.repeat(width))),
    ...rows.map((row) => line(columns.map((column) => row[column]))),
  ].join('\n');
}

const hints = `Both stay up until Ctrl-C. Try:
  swaks --server 127.0.0.1:${appliance.port} --from ada@sender.example --to bob@corp.example
  swaks --server 127.0.0.1:${appliance.port} --from ada@sender.example --to someone@elsewhere.example   (refused: no relay)
  ${command} why bob@corp.example --state ${appliance.state}
  ${command} status --state ${appliance.state}
  ${command} shell --state ${appliance.state}
  ${command} shell --state ${appliance.state} -c 'Get-ReceiveConnector | Format-List'
  ldapsearch -H ldapi://${encodeURIComponent(join(statePaths(appliance.state).run, 'ldapi'))} -Y EXTERNAL -b '' '(objectClass=msExchSmtpReceiveConnector)'`;

async function run(onlyOnce: boolean): Promise<number> {
  const children: ChildProcess[] = [];
  const interrupted = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.resolve());
  try {
    for (const one of [hub, appliance]) await setUp(one);
    for (const one of [hub, appliance]) children.push(await startUp(one));
    say(bold('\nMessages through the edge to the hub:'));
    const rows: Row[] = [];
    for (const { name, message } of messages()) rows.push(await follow(name, message));
    say(`${table(rows)}\n`);
    const complete = rows.every((row) => row['in the mailbox'].startsWith('identical'));
    say(complete ? 'Every message lies in its mailbox as it was sent.\n' : 'NOT EVERY MESSAGE ARRIVED.\n');
    // A script that only wants to see it work asks for this.
    if (onlyOnce) return complete ? 0 : 1;
    say(hints);
    await interrupted.promise;
    return complete ? 0 : 1;
  } finally {
    for (const child of children.reverse()) {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    }
  }
}

/** Runs the demonstration; with `--once` it ends after the messages. Resolves with the exit status: 0 when every message arrived. */
export async function lab(args: readonly string[]): Promise<number> {
  try {
    return await run(args.includes('--once'));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}
