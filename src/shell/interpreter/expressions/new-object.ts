import { SecureString } from '../../../cmdlets/calling/index.ts';
import { convertTo, findType } from '../../values/convert.ts';
import { UnspecifiedDate } from '../../values/date-kind.ts';
import { Hashtable } from '../../values/hashtable.ts';
import { timeSpan } from '../../values/quantity.ts';
import { ShellError } from '../../values/shell-error.ts';
import { customObject, ShellObject } from '../../values/shell-object.ts';
import { toText } from '../../values/text.ts';
import { Budget } from '../state/budget.ts';
import { numberOf } from './arithmetic.ts';

type Maker = (args: readonly unknown[]) => unknown;

const makers: Readonly<Record<string, Maker>> = {
  datetime: newDate,
  timespan: newTimeSpan,
  string: (args) => toText(args[0]).repeat(args.length > 1 ? Budget.size(numberOf(args[1])) : 1),
  hashtable: () => new Hashtable(),
  'collections.hashtable': () => new Hashtable(),
  'collections.specialized.ordereddictionary': () => new Hashtable(),
  psobject: () => new ShellObject(customObject),
  pscustomobject: () => new ShellObject(customObject),
  'management.automation.psobject': () => new ShellObject(customObject),
  object: () => new ShellObject(customObject),
  'management.automation.pscredential': newCredential,
  pscredential: newCredential,
};

function newDate(args: readonly unknown[]): Date {
  const [year = 1, month = 1, day = 1, hour = 0, minute = 0, second = 0] = args.map(numberOf);
  return new UnspecifiedDate(year, month - 1, day, hour, minute, second);
}

/** Ticks; hours, minutes and seconds; or days before them. */
function newTimeSpan(args: readonly unknown[]): unknown {
  const numbers = args.map(numberOf);
  if (numbers.length === 1) return timeSpan((numbers[0] ?? 0) / 1e7);
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = numbers.length === 3 ? [0, ...numbers] : numbers;
  return timeSpan(days * 86_400 + hours * 3600 + minutes * 60 + seconds);
}

function newCredential([user, password]: readonly unknown[]): ShellObject {
  if (!(password instanceof SecureString)) {
    throw new ShellError('A credential is made of a user name and a SecureString: see ConvertTo-SecureString.', {
      id: 'ConstructorInvokedThrowException',
      category: 'InvalidOperation',
      exception: 'MethodException',
    });
  }
  return new ShellObject('System.Management.Automation.PSCredential', [
    ['UserName', toText(user)],
    ['Password', password],
  ]);
}

/** `[type]::new(…)` and New-Object. Throws ShellError for types that lines cannot make. */
export function newObject(typeName: string, args: readonly unknown[]): unknown {
  const folded = typeName.toLowerCase().replace(/^system\./, '');
  const make = Object.hasOwn(makers, folded) ? makers[folded] : undefined;
  if (make !== undefined) return make(args);
  if (findType(typeName) !== undefined) return convertTo(typeName, args.length > 1 ? args : (args[0] ?? null));
  throw new ShellError(
    `Cannot find type [${typeName}]: it is outside the language of this shell. Known here: PSObject, Hashtable, System.Collections.ArrayList, DateTime, TimeSpan, PSCredential.`,
    {
      id: 'TypeNotFound',
      category: 'InvalidType',
      exception: 'PSArgumentException',
      target: typeName,
    },
  );
}

/** True for types that `newObject` makes, for checks before running. */
export function canMake(typeName: string): boolean {
  return Object.hasOwn(makers, typeName.toLowerCase().replace(/^system\./, '')) || findType(typeName) !== undefined;
}
