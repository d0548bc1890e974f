import type { Expression, ExpressionKind } from '../../language/ast.ts';
import { convertTo, toBoolean } from '../../values/convert.ts';
import { Hashtable } from '../../values/hashtable.ts';
import { findProperty, getProperty } from '../../values/members.ts';
import { ScriptBlock, TypeValue } from '../../values/script-block.ts';
import { toText } from '../../values/text.ts';
import { longText } from '../state/budget.ts';
import { type Context, located } from '../state/context.ts';
import { collect, gather, runStatements } from '../state/engine.ts';
import { readVariable } from '../state/variables.ts';
import { bitwise, subtract } from './arithmetic.ts';
import { assign } from './assign.ts';
import { collectionMethod } from './collection-methods.ts';
import { indexInto } from './indexing.ts';
import { callMethod } from './methods.ts';
import { applyOperator, join, split } from './operators.ts';
import { callStatic, readStatic } from './statics.ts';
import { valueOf } from './value-of.ts';

type Of<K extends ExpressionKind> = Extract<Expression, { kind: K }>;
type Evaluators = { readonly [K in ExpressionKind]: (node: Of<K>, context: Context) => unknown };

/** The value of an expression. Throws Failure with the place of the part at fault. */
export async function evaluate(node: Expression, context: Context): Promise<unknown> {
  const { budget } = context;
  budget.step();
  if (budget.due) await budget.pause();
  try {
    // The row of a node's own kind takes that node; the compiler cannot follow the pairing.
    const evaluator = evaluators[node.kind] as (node: Expression, context: Context) => unknown;
    const value = await evaluator(node, context);
    if (typeof value === 'string' && value.length > longText && node.kind !== 'variable') budget.made(value.length);
    return value;
  } catch (error) {
    throw located(context, error, node.extent);
  }
}

async function evaluateAll(nodes: readonly Expression[], context: Context): Promise<unknown[]> {
  const values: unknown[] = [];
  for (const node of nodes) values.push(await evaluate(node, context));
  return values;
}

const evaluators: Evaluators = {
  number: ({ value }) => value,
  string: ({ value }) => value,
  variable: ({ name }, context) => readVariable(context, name),
  type: ({ name }) => new TypeValue(name),
  array: ({ items }, context) => evaluateAll(items, context),
  parenthesis: ({ statement }, context) => valueOf(statement, context),
  'script-block': ({ body }, context) => new ScriptBlock(body, context.source),
  cast: async ({ type, operand }, context) => convertTo(type, await evaluate(operand, context)),

  async expandable({ parts }, context) {
    let text = '';
    for (const part of parts)
      text += typeof part === 'string' ? part : expanded(await evaluate(part, context), context);
    return text;
  },

  async 'array-expression'({ statements }, context) {
    const [only] = statements;
    const single =
      statements.length === 1 && only?.kind === 'pipeline' && only.stages.length === 1 ? only.stages[0] : undefined;
    const values = await gather(runStatements(statements, context));
    const [value] = values;
    return single?.kind === 'expression' && values.length === 1 && Array.isArray(value) ? (value as unknown[]) : values;
  },

  async 'sub-expression'({ statements }, context) {
    return collect(await gather(runStatements(statements, context)));
  },

  async hashtable({ entries }, context) {
    const table = new Hashtable();
    for (const { key, value } of entries) table.set(await evaluate(key, context), await valueOf(value, context));
    return table;
  },

  async unary({ operator, operand }, context) {
    const value = await evaluate(operand, context);
    switch (operator) {
      case 'not':
        return !toBoolean(value);
      case 'comma':
        return [value];
      case 'join':
        return join(value, '');
      case 'split':
        return (Array.isArray(value) ? value : [value]).flatMap((item) => split(toText(item).trim(), '\\s+', false));
      case 'bnot':
        return bitwise(value, -1, (a, b) => a ^ b);
      case 'plus':
        return subtract(value, 0);
      case 'minus':
        return subtract(0, value);
    }
  },

  async binary({ operator, left, right }, context) {
    const value = await evaluate(left, context);
    if (operator === 'and') return toBoolean(value) && toBoolean(await evaluate(right, context));
    if (operator === 'or') return toBoolean(value) || toBoolean(await evaluate(right, context));
    return applyOperator(operator, value, await evaluate(right, context), context);
  },

  async increment({ operator, prefix, target }, context) {
    const before = await evaluate(target, context);
    const after = applyOperator(operator.charAt(0), before ?? 0, 1, context);
    await assign(target, '=', after, context);
    return prefix ? after : (before ?? 0);
  },

  async member({ target, member, isStatic }, context) {
    const value = await evaluate(target, context);
    const name = toText(await evaluate(member, context));
    if (isStatic) return readStatic(value, name, context);
    if (value instanceof Hashtable && !value.has(name)) return findProperty(value, name) ?? null;
    return getProperty(value, name);
  },

  async call({ target, member, args, isStatic }, context) {
    const value = await evaluate(target, context);
    const name = toText(await evaluate(member, context));
    const values = await evaluateAll(args, context);
    if (isStatic) return callStatic(value, name, values, context);
    return (await collectionMethod(name, value, values, context)) ?? callMethod(value, name, values);
  },

  async index({ target, index }, context) {
    return indexInto(await evaluate(target, context), await evaluate(index, context));
  },
};

/** A value inside a string: items of a list with `$OFS` between them, a space unless it is set. */
function expanded(value: unknown, context: Context): string {
  const separator = Array.isArray(value) ? context.scope.get('OFS') : undefined;
  return separator === undefined ? toText(value) : join(value, toText(separator));
}
