/** `edge tls trap start`: runs the trap until Ctrl-C, then reports. */
import { writeFileSync } from 'node:fs';
import { printable, printableJson } from '../base/index.ts';
import { Trap, type TrapResult } from '../compliance/index.ts';
import { ending } from './ending.ts';
import { exitStatus, type Terminal } from './parts.ts';

export interface TrapCommandOptions {
  readonly domain: string;
  readonly addresses: string;
  readonly port: number;
  readonly policyPort: number;
  readonly root?: string;
  readonly json: boolean;
}

/** Resolves with the exit status: 1 when a careful sender would have delivered less, 2 when none came. */
export async function tlsTrap(options: TrapCommandOptions, terminal: Terminal): Promise<number> {
  let trap: Trap;
  try {
    trap = new Trap({
      domain: options.domain,
      addresses: addressesOf(options.addresses),
      port: options.port,
      policyPort: options.policyPort,
      now: Date.now(),
      idleMs: 60_000,
      onAttempt: ({ name }, { from, tls, helo, delivered }) => {
        const what = delivered.length > 0 ? `delivered ${delivered.join(', ')}` : 'gave up';
        if (!options.json) terminal.error(`${name}: ${printable(`${from} (${helo}), ${tls}: ${what}`)}\n`);
      },
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    terminal.error(`edge tls trap: ${error.message}\n`);
    return exitStatus.usage;
  }
  await using running = trap;
  try {
    await running.start();
  } catch (error) {
    terminal.error(`edge tls trap: an address cannot be had: ${(error as Error).message}\n`);
    return exitStatus.failed;
  }
  if (options.root !== undefined) writeFileSync(options.root, running.rootPem, { mode: 0o644 });
  const ended = ending();
  if (!options.json) introduce(running, options, terminal);
  await ended;
  const results = running.results();
  if (options.json) for (const result of results) terminal.out(`${printableJson(result)}\n`);
  else terminal.out(`\n${tableOf(results)}`);
  if (results.every(({ attempts }) => attempts === 0)) {
    terminal.error('edge tls trap: no sender came: nothing was tested\n');
    return exitStatus.failed;
  }
  return results.some((result) => result.outcome.startsWith('delivered') && result.refusedBy.length > 0)
    ? exitStatus.finding
    : exitStatus.done;
}

/** 'a,b,c', or '127.0.77.1+16' for so many in a row. Throws RangeError. */
function addressesOf(text: string): string[] {
  const [, network, last, count] = /^(\d+\.\d+\.\d+)\.(\d+)\+(\d+)$/.exec(text.trim()) ?? [];
  if (network === undefined) return text.split(',').map((address) => address.trim());
  const first = Number(last);
  if (first + Number(count) > 255) throw new RangeError(`${text} goes beyond ${network}.254`);
  return Array.from({ length: Number(count) }, (_, i) => `${network}.${first + i}`);
}

function introduce(trap: Trap, { domain, root }: TrapCommandOptions, terminal: Terminal): void {
  terminal.out(`The zone ${domain} leads a sender here (sign it for the TLSA records to count):\n\n`);
  for (const line of trap.zone()) terminal.out(`${line}\n`);
  terminal.out(
    `\nThe sender must trust ${root === undefined ? 'the authority of the trap (--root FILE writes it)' : root}. Send one message to each of:\n\n`,
  );
  for (const { recipient, kind, address, port } of trap.endpoints)
    terminal.out(`${recipient.padEnd(48)} ${`${address}:${port}`.padEnd(22)} ${kind.title}\n`);
  const moved = [
    ...(trap.endpoints.some(({ port }) => port !== 25) ? ['mail by MX goes to port 25'] : []),
    ...(trap.policyPort === 443 ? [] : [`senders fetch policies from port 443, not ${trap.policyPort}`]),
  ];
  if (moved.length > 0) terminal.out(`\nThe zone alone does not lead all of it here: ${moved.join('; ')}.\n`);
  terminal.out('\nCtrl-C ends and reports.\n');
}

function tableOf(results: readonly TrapResult[]): string {
  return results
    .map(({ endpoint, outcome, fellBack, retriesInClear, attempts, refusedBy }) => {
      const should = refusedBy.length === 0 ? 'everybody delivers' : `refused by senders with ${refusedBy.join(', ')}`;
      const fell = fellBack ? ', fell back to clear' : '';
      const retries = retriesInClear === 0 ? fell : `${fell}, ${retriesInClear} in clear after TLS`;
      return `${endpoint.padEnd(18)} ${outcome.padEnd(44)} ${String(attempts).padStart(3)} attempts${retries}  (${should})\n`;
    })
    .join('');
}
