import type { Pipeline } from '../../language/ast.ts';
import type { Extent } from '../../language/position.ts';

/** Parameters whose values are secrets. */
const secretParameter = /password|passphrase|credential|secret|^key$|^pin$/i;
/** Commands and types whose literals are, or may be, secrets. */
const secretCommand = /^(?:ConvertTo-SecureString|New-Object)$/i;
const secretType = /securestring|credential/i;
const literals: ReadonlySet<string> = new Set(['string', 'number', 'expandable']);

type Node = { readonly kind: string; readonly extent: Extent } & Readonly<Record<string, unknown>>;

/** A pipeline as it was typed, for logs: literals that are secrets are replaced by asterisks. */
export function withoutSecrets(pipeline: Pipeline, text: string): string {
  const hidden = secretsIn(pipeline as unknown as Node, false).toSorted((a, b) => a.start - b.start);
  let shown = '';
  let at = pipeline.extent.start;
  for (const { start, end } of hidden) {
    if (start < at) continue;
    shown += `${text.slice(at, start)}'********'`;
    at = end;
  }
  return shown + text.slice(at, pipeline.extent.end);
}

/** Places of the literals below a node that nobody may read. `inside`: all of them. */
function secretsIn(node: Node, inside: boolean): Extent[] {
  if (literals.has(node.kind)) return inside ? [node.extent] : [];
  if (node.kind === 'command') return secretsOfCommand(node, inside);
  const hidden = inside || isSecretType(node);
  const open: unknown = node.kind === 'call' ? node['member'] : undefined;
  return childrenOf(node).flatMap((child) => (child === open ? [] : secretsIn(child, hidden)));
}

function isSecretType(node: Node): boolean {
  if (node.kind === 'cast') return secretType.test(String(node['type']));
  return node.kind === 'call' && JSON.stringify(node['target']).match(secretType) !== null;
}

/** What stands behind `-Password` is one whatever the command is. */
function secretsOfCommand(command: Node, inside: boolean): Extent[] {
  const name = command['name'] as Node;
  const all = inside || (name.kind === 'string' && secretCommand.test(String(name['value'])));
  let behindSecret = false;
  return (command['elements'] as readonly Node[]).flatMap((element) => {
    const isParameter = element.kind === 'parameter';
    const secret = isParameter ? secretParameter.test(String(element['name'])) : behindSecret;
    behindSecret = isParameter && secret && element['value'] === undefined;
    return childrenOf(element).flatMap((child) => secretsIn(child, all || secret));
  });
}

function childrenOf(node: Node): Node[] {
  return Object.values(node)
    .flatMap((value): readonly unknown[] => (Array.isArray(value) ? value : [value]))
    .flatMap((value) => (isNode(value) ? [value] : isPair(value) ? childrenOf(value) : []));
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'kind' in value && 'extent' in value;
}

/** Entries of hash tables and clauses of `if` have no place of their own. */
function isPair(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !('start' in value);
}
