/** `edge sync mapping`: what of the source one edge gets. */
import { printableJson } from '../../base/text/index.ts';
import type { Subscription, SyncSettings } from '../../edge-sync/index.ts';
import { exitStatus, type Terminal } from '../parts.ts';
import type { MappingOptions } from './options.ts';
import { onSync } from './session.ts';

const previewCount = 10;

/** Changes it where something is said, after a look at the source; shows it and some recipients as it makes them. */
export function mapping(edge: string, options: MappingOptions, terminal: Terminal): Promise<number> {
  return onSync('mapping', options, terminal, async (edgeSync) => {
    const { state } = edgeSync;
    const subscription = state.subscription(edge);
    const next = mappingOf(options, state.settings.mapping, subscription);
    const used = next ?? state.settings.mapping;
    // A filter or name that cannot be read is refused here, before it is kept.
    const recipients = await edgeSync.sample(previewCount, used);
    const { mapping: before, ...others } = subscription;
    if (before !== next) await state.save(next === undefined ? others : { ...others, mapping: next });
    if (options.json) {
      terminal.out(
        `${printableJson({ edge: subscription.name, own: next !== undefined, mapping: used, recipients })}\n`,
      );
      return exitStatus.done;
    }
    terminal.out(`${subscription.name}: ${next === undefined ? 'as all edges' : 'a mapping of its own'}\n`);
    const rows = {
      include: used.bases,
      exclude: used.excludedBases,
      filter: [used.filter],
      address: used.addressAttributes,
    };
    for (const [name, values] of Object.entries(rows))
      if (values.join('') !== '') terminal.out(`  ${name.padEnd(8)}${values.join(' ')}\n`);
    for (const { dn, addresses, excluded } of recipients)
      terminal.out(`  ${dn}: ${excluded ?? addresses.join(', ')}\n`);
    return exitStatus.done;
  });
}

function mappingOf(
  { include, exclude, filter, address, disabledAccounts, reset }: MappingOptions,
  common: SyncSettings['mapping'],
  { mapping: present }: Subscription,
): Subscription['mapping'] {
  if (reset) return undefined;
  if ([include, exclude, filter, address, disabledAccounts].every((one) => one === undefined)) return present;
  const base = present ?? common;
  return {
    addressAttributes: address ?? base.addressAttributes,
    bases: include ?? base.bases,
    excludedBases: exclude ?? base.excludedBases,
    filter: filter ?? base.filter,
    disabledAccounts: disabledAccounts ?? base.disabledAccounts,
  };
}
