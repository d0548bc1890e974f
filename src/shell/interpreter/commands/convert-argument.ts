import { nearestName } from '../../../base/index.ts';
import type { Expression } from '../../language/ast.ts';
import { convertTo, findType } from '../../values/convert.ts';
import { ShellError } from '../../values/shell-error.ts';
import { toText } from '../../values/text.ts';
import { typeNameOf } from '../../values/types.ts';
import { actionNumbers } from '../state/common-parameters.ts';
import type { ParameterDescription } from '../state/contract.ts';
import { bindingError } from './plan.ts';

/** Types whose literals keep their number: `10MB` is 10485760. For any other, the text as it was written counts. */
const numeric =
  /^(?:System\.)?(?:u?int\d*|long|byte|double|single|decimal|object|psobject|boolean|unlimited|bytequantifiedsize|enhancedtimespan|timespan|sclvalue)(?:\[\])?$/i;

/** What a literal number gives for a parameter; undefined when the value is to be evaluated. */
export function literalText(node: Expression, parameter: ParameterDescription): unknown {
  if (numeric.test(parameter.type)) return undefined;
  if (node.kind === 'number') return node.text;
  if (node.kind === 'array' && node.items.every(({ kind }) => kind === 'number' || kind === 'string')) {
    return node.items.map((item) => (item.kind === 'number' ? item.text : item.kind === 'string' ? item.value : null));
  }
  return undefined;
}

/** A value as the parameter takes it. Throws ShellError in PowerShell's words, with what would be right. */
export function convertArgument(parameter: ParameterDescription, value: unknown): unknown {
  if (parameter.parse !== undefined) return parsed(parameter, parameter.parse, value);
  const converted = byType(parameter, value);
  if (parameter.allowed !== undefined) return oneOf(parameter, parameter.allowed, converted);
  checkRange(parameter, converted);
  return converted;
}

function parsed(parameter: ParameterDescription, parse: (value: unknown) => unknown, value: unknown): unknown {
  try {
    return parse(value);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw transformation(parameter, value, cause.message, cause);
  }
}

function transformation(
  { name, type }: ParameterDescription,
  value: unknown,
  reason: string,
  cause?: unknown,
): ShellError {
  const shown = toText(value);
  const sentence = reason.charAt(0).toUpperCase() + reason.slice(1);
  return new ShellError(
    `Cannot process argument transformation on parameter '${name}'. Cannot convert value "${shown}" to type "${type}". Error: "${sentence.replace(/\.?$/, '.')}"`,
    {
      id: 'ParameterArgumentTransformationError',
      category: 'InvalidData',
      exception: 'ParameterBindingArgumentTransformationException',
      cause,
    },
  );
}

function byType(parameter: ParameterDescription, value: unknown): unknown {
  const { name, type } = parameter;
  if (type === 'SwitchParameter' || type === 'Boolean') return booleanArgument(parameter, value);
  if (findType(type) === undefined) return value;
  if (Array.isArray(value) && type.toLowerCase() === 'string') {
    throw bindingError(
      'CannotConvertArgument',
      `Cannot convert 'System.Object[]' to the type 'System.String' required by parameter '${name}'. Specified method is not supported.`,
    );
  }
  try {
    return convertTo(type, value);
  } catch (error) {
    if (!(error instanceof ShellError)) throw error;
    throw bindingError('CannotConvertArgumentNoMessage', `Cannot bind parameter '${name}'. ${error.message}`);
  }
}

function booleanArgument({ name, type }: ParameterDescription, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  const wanted = type === 'Boolean' ? 'System.Boolean' : 'System.Management.Automation.SwitchParameter';
  throw new ShellError(
    `Cannot process argument transformation on parameter '${name}'. Cannot convert value "${typeNameOf(value)}" to type "${wanted}". Boolean parameters accept only Boolean values and numbers, such as $True, $False, 1 or 0.`,
    {
      id: 'ParameterArgumentTransformationError',
      category: 'InvalidData',
      exception: 'ParameterBindingArgumentTransformationException',
    },
  );
}

function oneOf(parameter: ParameterDescription, allowed: readonly string[], value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => oneOf(parameter, allowed, item));
  const text = toText(value);
  const found =
    allowed.find((name) => name.toLowerCase() === text.toLowerCase()) ?? abbreviated(parameter, allowed, text);
  if (found !== undefined) return found;
  const guess = nearestName(text, allowed);
  const hint = guess === undefined ? '' : `; did you mean ${guess}`;
  throw transformation(
    parameter,
    value,
    `Unable to match the identifier name ${text} to a valid enumerator name. Specify one of the following enumerator names and try again: ${allowed.join(', ')}${hint}`,
  );
}

/** An enumeration takes the beginning of a name that no other has, and the number of an action. */
function abbreviated({ type }: ParameterDescription, allowed: readonly string[], text: string): string | undefined {
  if (type === 'ActionPreference' && actionNumbers.has(text)) return actionNumbers.get(text);
  const [first, ...others] = allowed.filter((name) => name.toLowerCase().startsWith(text.toLowerCase()));
  return others.length === 0 && text !== '' ? first : undefined;
}

function checkRange({ name, min = -Infinity, max = Infinity }: ParameterDescription, value: unknown): void {
  if (typeof value !== 'number' || (value >= min && value <= max)) return;
  const low = value < min;
  throw bindingError(
    'ParameterArgumentValidationError',
    `Cannot validate argument on parameter '${name}'. The ${value} argument is ${low ? 'less than the minimum' : 'greater than the maximum'} allowed range of ${low ? min : max}. Supply an argument that is ${low ? 'greater' : 'less'} than or equal to ${low ? min : max} and then try the command again.`,
  );
}
