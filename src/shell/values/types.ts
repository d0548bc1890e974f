import { SecureString } from '../../cmdlets/calling/index.ts';
import { StructuredValue } from '../../config/values/index.ts';
import { fullTypeName } from './exchange-types.ts';
import { Hashtable } from './hashtable.ts';
import { Quantity } from './quantity.ts';
import { ScriptBlock, TypeValue } from './script-block.ts';
import { ShellList } from './shell-list.ts';
import { customObject, ShellObject } from './shell-object.ts';

/** Full name of a value's type, as error messages and Get-Member show it. */
export function typeNameOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  switch (typeof value) {
    case 'string':
      return 'System.String';
    case 'boolean':
      return 'System.Boolean';
    case 'number':
      return numberType(value);
    default:
      return objectType(value);
  }
}

function numberType(value: number): string {
  if (!Number.isInteger(value)) return 'System.Double';
  return value >= -(2 ** 31) && value < 2 ** 31 ? 'System.Int32' : 'System.Int64';
}

function objectType(value: unknown): string {
  if (value instanceof ShellList) return 'System.Collections.ArrayList';
  if (Array.isArray(value)) return 'System.Object[]';
  if (value instanceof Uint8Array) return 'System.Byte[]';
  if (value instanceof Date) return 'System.DateTime';
  if (value instanceof Hashtable) return 'System.Collections.Hashtable';
  if (value instanceof SecureString) return 'System.Security.SecureString';
  if (value instanceof ScriptBlock) return 'System.Management.Automation.ScriptBlock';
  if (value instanceof TypeValue) return 'System.RuntimeType';
  if (value instanceof StructuredValue) return fullTypeName(value.typeName);
  if (value instanceof Quantity) return quantityTypes[value.typeName] ?? value.typeName;
  if (value instanceof ShellObject) {
    return value.typeName === customObject
      ? 'System.Management.Automation.PSCustomObject'
      : fullTypeName(value.typeName);
  }
  return 'System.Object';
}

const quantityTypes: Readonly<Record<string, string>> = {
  TimeSpan: 'System.TimeSpan',
  EnhancedTimeSpan: 'Microsoft.Exchange.Data.EnhancedTimeSpan',
  ByteQuantifiedSize: 'Microsoft.Exchange.Data.ByteQuantifiedSize',
};

/** The last part of the full name: `String`. */
export function shortTypeName(value: unknown): string {
  return typeNameOf(value).replace(/^.*\./, '');
}
