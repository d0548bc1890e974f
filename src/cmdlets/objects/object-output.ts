/** Objects of a table as the shell gets them. */
import { type ObjectIdentity, propertyName, StructuredValue, type TableShape } from '../../config/index.ts';
import { Dn } from '../../ldap/index.ts';
import { CmdletObject } from '../runtime.ts';
import { UtcTime } from '../utc-time.ts';

/** Named values in the order of the table, and what every directory object has behind them. */
export function shownObject(
  table: TableShape,
  object: ObjectIdentity & Readonly<Record<string, unknown>>,
  serverName: string,
  typeName = table.noun,
): CmdletObject {
  const rows = Object.entries(table.properties).filter(([, row]) => row.hidden !== true);
  const shown = rows.map(([field, row]) => {
    const [name, value] = [propertyName(field, row), row.syntax.show(object[field])];
    return [name, name === 'Server' && typeof value === 'string' ? serverId(value) : value] as const;
  });
  return new CmdletObject(typeName, [
    ...shown,
    ['Name', object.name],
    ['DistinguishedName', object.dn],
    ['Identity', objectId(object)],
    ['Guid', object.guid === '' ? null : object.guid],
    ['ObjectClass', table.objectClasses],
    ['WhenChanged', object.whenChanged],
    ['WhenCreated', object.whenCreated],
    ['WhenChangedUTC', inUtc(object.whenChanged)],
    ['WhenCreatedUTC', inUtc(object.whenCreated)],
    ['OrganizationId', null],
    ['Id', objectId(object)],
    ['OriginatingServer', serverName],
    ['IsValid', true],
    ['ObjectState', 'Unchanged'],
  ]);
}

/** Microsoft.Exchange.Data.Directory.ADObjectId. */
function objectId({ identity, name, dn, guid }: ObjectIdentity): StructuredValue {
  const parsed = Dn.parse(dn);
  const parent = parsed.parent?.toString() ?? '';
  return new StructuredValue('ADObjectId', identity, [
    ['Name', name],
    ['DistinguishedName', dn],
    ['ObjectGuid', guid === '' ? null : guid],
    ['Parent', parent],
    ['Depth', dn === '' ? 0 : parsed.rdns.length],
    ['Rdn', parent === '' ? dn : dn.slice(0, -parent.length - 1)],
    ['IsDeleted', false],
  ]);
}

/** The same of the server that an object belongs to, by its name alone. */
function serverId(name: string): StructuredValue {
  return new StructuredValue('ADObjectId', name, [['Name', name]]);
}

function inUtc(date: Date | null): UtcTime | null {
  return date === null ? null : new UtcTime(date);
}

/** One value as text, for the audit log and for -WhatIf. */
export function asAudited(table: TableShape, field: string, value: unknown): string {
  const row = table.properties[field];
  if (row === undefined) return String(value);
  const shown = row.syntax.show(value);
  if (shown === null) return '';
  return Array.isArray(shown) ? shown.join(', ') : String(shown);
}
