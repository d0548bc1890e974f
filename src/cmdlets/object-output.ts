/** Objects of a table as the shell gets them. */
import { type ObjectIdentity, propertyName, type TableShape } from '../config/index.ts';
import { CmdletObject } from './runtime.ts';

/** Named values in the order of the table, and what every directory object has behind them. */
export function shownObject(
  table: TableShape,
  object: ObjectIdentity & Readonly<Record<string, unknown>>,
  serverName: string,
  typeName = table.noun,
): CmdletObject {
  const rows = Object.entries(table.properties).filter(([, row]) => row.hidden !== true);
  const shown = rows.map(([field, row]) => [propertyName(field, row), row.syntax.show(object[field])] as const);
  return new CmdletObject(typeName, [
    ...shown,
    ['Name', object.name],
    ['DistinguishedName', object.dn],
    ['Identity', object.identity],
    ['Guid', object.guid === '' ? null : object.guid],
    ['ObjectClass', table.objectClasses],
    ['WhenChanged', object.whenChanged],
    ['WhenCreated', object.whenCreated],
    ['WhenChangedUTC', inUtc(object.whenChanged)],
    ['WhenCreatedUTC', inUtc(object.whenCreated)],
    ['OrganizationId', null],
    ['Id', object.identity],
    ['OriginatingServer', serverName],
    ['IsValid', true],
    ['ObjectState', 'Unchanged'],
  ]);
}

/** A time whose local parts are those of the time in UTC: dates of the shell carry no zone. */
function inUtc(date: Date | null): Date | null {
  return date === null ? null : new Date(date.getTime() + date.getTimezoneOffset() * 60_000);
}

/** One value as text, for the audit log and for -WhatIf. */
export function asAudited(table: TableShape, field: string, value: unknown): string {
  const row = table.properties[field];
  if (row === undefined) return String(value);
  const shown = row.syntax.show(value);
  if (shown === null) return '';
  return Array.isArray(shown) ? shown.join(', ') : String(shown);
}
