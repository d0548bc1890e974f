import type { Expression, ScriptBlockLiteral } from '../../language/ast.ts';
import { quoted } from '../../language/printer.ts';
import { formatDate } from '../../values/dates.ts';
import { toText } from '../../values/text.ts';
import type { Context } from '../state/context.ts';
import { evaluate } from '../state/engine.ts';

/** Parts of a filter that stand for a value of the session. */
const evaluated: ReadonlySet<string> = new Set(['variable', 'member', 'index', 'call', 'expandable', 'sub-expression']);
const constants = /^(?:true|false|null)$/i;

/**
 * `-Filter {NextHopDomain -eq $domain}`: the text between the braces, with the values of variables in quotes, as Exchange's
 * own shell hands it over.
 */
export async function filterText(block: ScriptBlockLiteral, context: Context): Promise<string> {
  const { text } = context.source;
  let filter = '';
  let at = block.extent.start + 1;
  for (const node of valuesIn(block.body)) {
    filter += text.slice(at, node.extent.start) + literal(await evaluate(node, context));
    at = node.extent.end;
  }
  return (filter + text.slice(at, block.extent.end - 1)).trim();
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return '$null';
  if (typeof value === 'boolean') return value ? '$true' : '$false';
  // Who reads the filter takes it for a time of this machine's zone.
  return quoted(value instanceof Date ? formatDate(new Date(value.getTime())) : toText(value));
}

/** In order of place; what stands inside one of them belongs to it. */
function valuesIn(node: unknown): Expression[] {
  if (Array.isArray(node)) return node.flatMap(valuesIn);
  if (node === null || typeof node !== 'object') return [];
  if ('kind' in node && evaluated.has(String(node.kind))) {
    const found = node as Expression;
    return found.kind === 'variable' && constants.test(found.name) ? [] : [found];
  }
  return Object.entries(node).flatMap(([name, child]) => (name === 'extent' ? [] : valuesIn(child)));
}
