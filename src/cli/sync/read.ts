/** `edge sync plan`, `status`, `preview`, `export`. */
import { X509Certificate } from 'node:crypto';
import { printableJson } from '../../base/text/index.ts';
import type { EdgePlan, Subscription } from '../../edge-sync/index.ts';
import { exitStatus, type Terminal } from '../parts.ts';
import type { SyncOptions } from './options.ts';
import { onSync } from './session.ts';

export function plan(
  edge: string | undefined,
  options: SyncOptions & { readonly full: boolean },
  terminal: Terminal,
): Promise<number> {
  return onSync('plan', options, terminal, async (edgeSync) => {
    const { reading, edges } = await edgeSync.plan(edge, new AbortController().signal, options.full);
    const changes = edges.some(
      ({ recipients: { added, updated, deleted }, configuration }) =>
        added + updated + deleted + configuration.length > 0,
    );
    if (options.json) terminal.out(`${printableJson({ reading, edges }, 2)}\n`);
    else {
      terminal.out(
        `${reading.scanned} objects read${reading.complete ? '' : `, not complete: ${reading.reasons.join('; ')}`}\n`,
      );
      for (const one of edges) terminal.out(renderPlan(one));
    }
    return changes ? exitStatus.finding : exitStatus.done;
  });
}

function renderPlan({ edge, recipients, shown, configuration }: EdgePlan): string {
  const { added, updated, deleted, addressesGained, addressesLost, held } = recipients;
  const lines = [
    `${edge}: ${added} added, ${updated} changed, ${deleted} removed; ${addressesGained} addresses more, ${addressesLost} less; ${configuration.length} changes of the configuration`,
    ...(held === undefined ? [] : [`  held: ${held}`]),
    ...configuration.map(({ kind, dn }) => `  ${kind.padEnd(8)}${dn.split(',')[0] ?? dn}`),
    ...shown.map(({ id, before, after }) => {
      const kind = before === undefined ? 'add' : after === undefined ? 'delete' : 'modify';
      const had = new Set(before?.addresses);
      const has = new Set(after?.addresses);
      const gained = [...has].filter((one) => !had.has(one)).map((one) => `+${one}`);
      const lost = [...had].filter((one) => !has.has(one)).map((one) => `-${one}`);
      return `  ${kind.padEnd(8)}${id}  ${[...gained, ...lost].join(' ')}`;
    }),
  ];
  const all = added + updated + deleted;
  if (all > shown.length)
    lines.push(
      `  and ${all - shown.length} more (--json shows no more either; edge sync preview ADDRESS tells of one)`,
    );
  return `${lines.join('\n')}\n`;
}

export function status(options: SyncOptions, terminal: Terminal): Promise<number> {
  return onSync(
    'status',
    options,
    terminal,
    async (edgeSync) => {
      const counts = await edgeSync.counts();
      const { settings, subscriptions } = edgeSync.state;
      const { nextRun, leases } = edgeSync.state;
      const rows = subscriptions.map((one) => rowOf(one, counts.edges.get(one.name), leases[one.name] ?? 0));
      const next = nextRun === undefined ? null : new Date(nextRun).toISOString();
      if (options.json)
        terminal.out(
          `${printableJson({ source: settings.source.url, ...counts.source, nextRun: next, subscriptions: rows }, 2)}\n`,
        );
      else {
        terminal.out(
          `source ${settings.source.url}: ${counts.source.recipients} recipients, ${counts.source.excluded} left out\n`,
        );
        terminal.out(next === null ? 'edge sync run does not run on this state\n' : `next run ${next}\n`);
        for (const row of rows) terminal.out(renderRow(row));
      }
      return rows.some(({ problem }) => problem !== '') ? exitStatus.finding : exitStatus.done;
    },
    { exclusive: false },
  );
}

type Row = ReturnType<typeof rowOf>;

const day = 86_400_000;

function rowOf(
  { name, fqdn, site, certificate, credential, next, lastSuccess, lastFailure, paused, established }: Subscription,
  counts: { readonly recipients: number; readonly addresses: number; readonly waiting: number } | undefined,
  leasedUntil: number,
) {
  const now = Date.now();
  const problem = !established
    ? 'the subscription was begun and not ended: run edge sync subscribe with the same file again'
    : paused !== undefined
      ? `paused: ${paused}`
      : (lastFailure?.reason ?? (credential.expires < now ? 'the account has expired: subscribe anew' : ''));
  return {
    name,
    fqdn,
    site,
    account: (next !== undefined && now >= credential.expires - 3 * day ? next : credential).user,
    accountExpires: new Date(Math.max(credential.expires, next?.expires ?? 0)).toISOString(),
    certificateExpires: new X509Certificate(Buffer.from(certificate, 'base64')).validToDate.toISOString(),
    leaseUntil: leasedUntil > now ? new Date(leasedUntil).toISOString() : null,
    lastSuccess: lastSuccess === undefined ? null : new Date(lastSuccess).toISOString(),
    ageSeconds: lastSuccess === undefined ? null : Math.round((now - lastSuccess) / 1000),
    ...(counts ?? { recipients: 0, addresses: 0, waiting: 0 }),
    problem,
  };
}

function renderRow(row: Row): string {
  const { name, fqdn, site, account, accountExpires, certificateExpires, problem } = row;
  const { lastSuccess, ageSeconds, recipients, addresses, waiting } = row;
  const lease = row.leaseUntil === null ? 'lease not held' : `lease held until ${row.leaseUntil}`;
  const last = lastSuccess === null ? 'never' : `${lastSuccess} (${ageSeconds ?? 0} s ago)`;
  const lines = [
    `${name} (${fqdn}), site ${site}`,
    `  last success ${last}; ${recipients} recipients, ${addresses} addresses on the edge, ${waiting} to be written; ${lease}`,
    `  account ${account} until ${accountExpires}; certificate of the edge until ${certificateExpires}`,
    ...(problem === '' ? [] : [`  problem: ${problem}`]),
  ];
  return `${lines.join('\n')}\n`;
}

export function preview(address: string, options: SyncOptions, terminal: Terminal): Promise<number> {
  return onSync(
    'preview',
    options,
    terminal,
    async (edgeSync) => {
      const found = await edgeSync.preview(address);
      if (options.json) terminal.out(`${printableJson(found)}\n`);
      else if (found.length === 0)
        terminal.out(`${address} belongs to no recipient of the source, as it was last read\n`);
      else for (const { dn, id, verdict } of found) terminal.out(`${dn} (${id}): ${verdict}\n`);
      return found.some(({ verdict }) => verdict.startsWith('accepted')) ? exitStatus.done : exitStatus.finding;
    },
    { exclusive: false },
  );
}

export function exportAddresses(
  options: SyncOptions & { readonly format: 'postfix-texthash' | 'csv' },
  terminal: Terminal,
): Promise<number> {
  return onSync(
    'export',
    options,
    terminal,
    async (edgeSync) => {
      const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
      if (options.format === 'csv') terminal.out('address,recipient\n');
      for await (const { address, dn } of edgeSync.addresses()) {
        terminal.out(options.format === 'csv' ? `${quoted(address)},${quoted(dn)}\n` : `${address} OK\n`);
      }
      return exitStatus.done;
    },
    { exclusive: false },
  );
}
