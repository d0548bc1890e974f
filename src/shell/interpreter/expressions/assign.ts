import type { Assignment, Expression } from '../../language/ast.ts';
import { convertTo } from '../../values/convert.ts';
import { getProperty } from '../../values/members.ts';
import { toText } from '../../values/text.ts';
import type { Context } from '../state/context.ts';
import { evaluate } from '../state/engine.ts';
import { readVariable, writeVariable } from '../state/variables.ts';
import { indexInto, setIndex, setProperty } from './indexing.ts';
import { applyOperator } from './operators.ts';

/** Stores a value; for `+=` and its kin, combined with what stands there. Returns what was stored. */
export async function assign(
  target: Expression,
  operator: Assignment['operator'],
  value: unknown,
  context: Context,
): Promise<unknown> {
  const combine = (current: () => unknown): unknown => {
    return operator === '=' ? value : applyOperator(operator.charAt(0), current(), value, context);
  };
  switch (target.kind) {
    case 'variable': {
      const result = combine(() => readVariable(context, target.name));
      writeVariable(context, target.name, result);
      return result;
    }
    case 'member': {
      const object = await evaluate(target.target, context);
      const name = toText(await evaluate(target.member, context));
      const result = combine(() => getProperty(object, name));
      setProperty(object, name, result);
      return result;
    }
    case 'index': {
      const [list, index] = [await evaluate(target.target, context), await evaluate(target.index, context)];
      const result = combine(() => indexInto(list, index));
      setIndex(list, index, result);
      return result;
    }
    case 'cast': {
      const converted = convertTo(target.type, value);
      if (target.operand.kind !== 'variable') return assign(target.operand, operator, converted, context);
      const result = await assign(target.operand, operator, converted, context);
      // The name may carry a scope or drive: such variables keep no type.
      if (!target.operand.name.includes(':')) context.scope.declare(target.operand.name, target.type);
      return result;
    }
    case 'array':
      return spread(target.items, value, context);
    default:
      throw new RangeError(`${target.kind} cannot be assigned to`);
  }
}

/** `$a, $b = list`: one each, the rest to the last. */
async function spread(targets: readonly Expression[], value: unknown, context: Context): Promise<unknown> {
  const values = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  for (const [i, target] of targets.entries()) {
    const isLast = i === targets.length - 1;
    const rest = values.slice(i);
    await assign(target, '=', isLast && rest.length > 1 ? rest : (rest[0] ?? null), context);
  }
  return value;
}
