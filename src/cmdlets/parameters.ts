/** Parameters as runners see them, made from the catalogue and from the rows of a table. */
import { nearestNameHint } from '../base/index.ts';
import { type AnyProperty, propertyName, type TableShape } from '../config/index.ts';
import type { KnownCmdlet, KnownParameter } from './exchange-cmdlets.ts';
import { nameGiven } from './parameter-values.ts';
import type { HashReader, Parameter } from './runtime.ts';

/** A row of a table by the name of its parameter. */
export interface NamedRow {
  readonly field: string;
  readonly name: string;
  readonly row: AnyProperty;
}

/** The rows that cmdlets may set, by lower-case name. */
export function rowsByName(table: TableShape): ReadonlyMap<string, NamedRow> {
  const rows = Object.entries(table.properties).map(([field, row]) => ({ field, name: propertyName(field, row), row }));
  return new Map(rows.map((named) => [named.name.toLowerCase(), named]));
}

/** Whether a bound value is a hash table. */
export function isHash(value: unknown): value is HashReader {
  return (
    typeof value === 'object' &&
    value !== null &&
    'keys' in value &&
    typeof value.keys === 'function' &&
    'has' in value &&
    !Array.isArray(value)
  );
}

/** What is wrong with a value for a row, and what would be right; undefined when it fits. */
export function faultOf(row: AnyProperty, value: unknown): string | undefined {
  try {
    if (row.syntax.multivalued === true && isHash(value)) checkHash(row, value);
    else row.syntax.parse(nameGiven(row.syntax.type, value));
    return undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const names = row.syntax.allowed ?? [];
    const words = typeof value === 'string' ? value.split(',').map((word) => word.trim()) : [];
    const wrong = words.find((word) => !names.some((name) => name.toLowerCase() === word.toLowerCase()));
    return `${error.message}.${wrong === undefined ? '' : nearestNameHint(wrong, names)}`;
  }
}

function checkHash(row: AnyProperty, value: HashReader): void {
  for (const key of value.keys()) {
    if (!/^(?:add|remove)$/i.test(String(key))) {
      throw new RangeError(`a hash table for a list has the keys Add and Remove, not '${String(key)}'`);
    }
    row.syntax.parse(value.get(key));
  }
}

/** One of the names that a parameter takes. */
function faultOfChoice(allowed: readonly string[], value: unknown): string | undefined {
  const words = (Array.isArray(value) ? value : [value]).flatMap((word) => String(word).split(','));
  const wrong = words.find((word) => !allowed.some((name) => name.toLowerCase() === word.trim().toLowerCase()));
  return wrong === undefined
    ? undefined
    : `'${wrong.trim()}' is not one of ${allowed.join(', ')}.${nearestNameHint(wrong.trim(), allowed)}`;
}

const identityTypes: Readonly<Record<string, string>> = {
  ReceiveConnectorIdParameter: 'ReceiveConnector',
  SendConnectorIdParameter: 'SendConnector',
  AcceptedDomainIdParameter: 'AcceptedDomain',
  RemoteDomainIdParameter: 'RemoteDomain',
  ServerIdParameter: 'ExchangeServer',
  TransportServerIdParameter: 'TransportService',
  QueueIdentity: 'Queue',
  MessageIdentity: 'Message',
};

/** A parameter of the catalogue. `row` is the property that it sets, if it sets one. */
function parameterOf(name: string, known: KnownParameter, row?: AnyProperty): Parameter {
  const allowed = row?.syntax.allowed ?? known.allowed;
  const onlyIn =
    known.cloudOnly === true ? 'Exchange Online' : known.legacyOnly === true ? 'older versions of Exchange' : '';
  // What is refused anyway is refused for that reason: a credential is no text that its syntax could read.
  const opaque = /^(?:PSCredential|SecureString)$/.test(known.type);
  const check = opaque
    ? undefined
    : row !== undefined
      ? (value: unknown) => faultOf(row, value)
      : allowed && choiceCheck(allowed);
  const identityOf = identityTypes[known.type];
  return {
    name,
    type: row?.syntax.type === 'MultiValuedProperty' ? 'MultiValuedProperty' : known.type,
    ...(known.position !== undefined && { position: known.position }),
    // In one of several sets it is needed only there, which the cmdlet itself says.
    ...(known.mandatory === true && known.sets === undefined && { mandatory: true }),
    ...(known.pipeline === true && { pipeline: true }),
    ...(known.aliases && { aliases: known.aliases }),
    ...(known.type === 'SwitchParameter' && { isSwitch: true }),
    ...((row?.syntax.multivalued === true || /\[\]$|^MultiValued/.test(known.type)) && { multivalued: true }),
    ...(allowed && { allowed }),
    ...(identityOf !== undefined && { identityOf }),
    ...(known.sets && { parameterSets: known.sets }),
    ...(row && { help: row.help }),
    ...(check && { check }),
    ...((isUnbuilt(row) || onlyIn !== '') && { notImplementedYet: true }),
    ...(onlyIn !== '' && { onlyIn }),
  };
}

/** No value can be set; what an Edge server only warns about is left to the cmdlet, which knows the role. */
function isUnbuilt(row: AnyProperty | undefined): boolean {
  return row?.notImplementedYet === true && row.builtFor === undefined && row.notOnEdge !== true;
}

function choiceCheck(allowed: readonly string[]): (value: unknown) => string | undefined {
  return (value) => faultOfChoice(allowed, value);
}

const commonHelp: Readonly<Record<string, Parameter>> = {
  Confirm: { name: 'Confirm', type: 'SwitchParameter', isSwitch: true, aliases: ['cf'], help: 'Asks before it acts.' },
  WhatIf: {
    name: 'WhatIf',
    type: 'SwitchParameter',
    isSwitch: true,
    aliases: ['wi'],
    help: 'Says what would be done, and does nothing.',
  },
  DomainController: {
    name: 'DomainController',
    type: 'Fqdn',
    help: 'Accepted and without effect: the directory of this server is always used.',
  },
};

/** All parameters of a cmdlet, those of the table with their checks. `changed` replaces what is known of single parameters. */
export function parametersOf(
  known: KnownCmdlet,
  table?: TableShape,
  changed: Readonly<Record<string, Partial<Parameter>>> = {},
): readonly Parameter[] {
  const rows = table === undefined ? undefined : rowsByName(table);
  const own = Object.entries(known.parameters).map(([name, one]) => {
    const row = rows?.get(name.toLowerCase())?.row;
    return { ...parameterOf(name, one, row), ...changed[name] };
  });
  const common = known.common.flatMap((name) => commonHelp[name] ?? []);
  return [...own, ...common];
}
