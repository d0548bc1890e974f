/** Cmdlets for accepted and remote domains. */
import { type AcceptedDomain, acceptedDomain, type RemoteDomain, remoteDomain } from '../../config/index.ts';
import { badArgument, isOn, missingArgument, textOf } from '../parameter-values.ts';
import { CmdletError } from '../runtime.ts';
import type { ObjectKind, Request } from './object-kind.ts';

type Accepted = typeof acceptedDomain.properties;
type Remote = typeof remoteDomain.properties;

function uniqueDomain(
  candidate: { readonly domainName: string },
  others: readonly { readonly domainName: string; readonly name: string }[],
): void {
  const twin = others.find((other) => other.domainName === candidate.domainName);
  if (twin === undefined) return;
  const text = `The domain ${candidate.domainName} is already there as '${twin.name}'. Change that object instead.`;
  throw new CmdletError('DuplicateDomainException', 'ResourceExists', text, { target: candidate.domainName });
}

function needsDomainName({ bound }: { readonly bound: ReadonlyMap<string, unknown> }): void {
  if (!bound.has('DomainName')) throw missingArgument('DomainName', 'It is needed: example.com, *.example.com or *.');
}

function acceptedPreset(request: Request<Accepted>): Partial<AcceptedDomain> {
  needsDomainName(request);
  const type = textOf(request.bound, 'DomainType') ?? acceptedDomain.properties.domainType.default;
  return {
    // The first domain is the default one, as in Exchange.
    default: request.all.length === 0,
    // As in Exchange: of a relay domain some recipients are elsewhere, and to validate them would refuse good mail.
    addressBookEnabled: 'authoritative'.startsWith(type.toLowerCase()),
  };
}

function makeDefault({ bound }: Request<Accepted>, before: AcceptedDomain | undefined): Partial<AcceptedDomain> {
  if (!bound.has('MakeDefault')) return {};
  if (isOn(bound, 'MakeDefault')) return { default: true };
  if (before?.default === true) {
    throw badArgument('MakeDefault', 'One domain must be the default: set MakeDefault $true on another one instead.');
  }
  return {};
}

function onlyOneDefault({ all }: Request<Accepted>, after: AcceptedDomain) {
  if (!after.default) return [];
  const others = all.filter(({ object }) => object.default && object.dn !== after.dn);
  return others.map((target) => ({ target, changes: { default: false } }));
}

/** Accepted domains. */
export const acceptedDomainKind: ObjectKind<Accepted> = {
  table: acceptedDomain,
  verbs: ['Get', 'New', 'Set', 'Remove'],
  view: { kind: 'table', columns: ['Name', 'DomainName', 'DomainType', 'Default'] },
  ownParameters: { Set: ['MakeDefault'] },
  examples: {
    Get: [{ line: 'Get-AcceptedDomain', says: 'All accepted domains.' }],
    New: [
      {
        line: 'New-AcceptedDomain -Name "Example" -DomainName example.com -DomainType InternalRelay',
        says: 'Mail for the domain is taken and passed inwards.',
      },
    ],
  },
  preset: acceptedPreset,
  adjust: makeDefault,
  checkAmong: (_request, candidate, others) => uniqueDomain(candidate, others),
  follow: onlyOneDefault,
  refuseRemoval: (object, all) =>
    object.default && all.length > 1
      ? `'${object.name}' is the default domain. Make another one the default first: Set-AcceptedDomain <name> -MakeDefault $true.`
      : undefined,
};

/** Remote domains. */
export const remoteDomainKind: ObjectKind<Remote> = {
  table: remoteDomain,
  verbs: ['Get', 'New', 'Set', 'Remove'],
  view: { kind: 'table', columns: ['Name', 'DomainName', 'AllowedOOFType'] },
  examples: {
    Get: [{ line: 'Get-RemoteDomain', says: 'All remote domains.' }],
    New: [
      { line: 'New-RemoteDomain -Name "Partner" -DomainName partner.example', says: 'Settings of one other domain.' },
    ],
  },
  preset(request) {
    needsDomainName(request);
    return {};
  },
  checkAmong: (_request, candidate: RemoteDomain, others) => uniqueDomain(candidate, others),
  refuseRemoval: (object) =>
    object.domainName === '*' ? `'${object.name}' stands for all other domains and cannot be removed.` : undefined,
};
