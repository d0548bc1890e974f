import type {
  Block,
  Command,
  CommandElement,
  Expression,
  LeaveStatement,
  Script,
  Stage,
  Statement,
  SwitchStatement,
} from './ast.ts';
import { isDash, isDoubleQuote, isSingleQuote } from './characters.ts';
import { unaryText } from './operators.ts';

/** Writes a tree as text that parses to the same tree: one line for each statement, canonical quotes and spaces. */
export function print(script: Script): string {
  return statements(script.statements, '\n');
}

function statements(list: readonly Statement[], separator: string): string {
  return list.map(printStatement).join(separator);
}

function block({ statements: list }: Block): string {
  return list.length === 0 ? '{ }' : `{ ${statements(list, '; ')} }`;
}

/** Writes one statement. */
function printStatement(statement: Statement): string {
  if (statement.kind === 'leave') return printLeave(statement);
  const label = 'label' in statement ? `:${statement.label} ` : '';
  return label + printUnlabelled(statement);
}

function printLeave({ how, label, value }: LeaveStatement): string {
  if (label !== undefined) return `${how} ${label}`;
  return how + (value === undefined ? '' : ` ${printStatement(value)}`);
}

function printUnlabelled(statement: Exclude<Statement, LeaveStatement>): string {
  switch (statement.kind) {
    case 'pipeline':
      return statement.stages.map(stage).join(' | ');
    case 'assignment':
      return `${printExpression(statement.target)} ${statement.operator} ${printStatement(statement.value)}`;
    case 'if': {
      const clauses = statement.clauses.map(
        ({ condition, body }) => `if (${printStatement(condition)}) ${block(body)}`,
      );
      return clauses.join(' else') + (statement.otherwise === undefined ? '' : ` else ${block(statement.otherwise)}`);
    }
    case 'foreach':
      return `foreach (${variable(statement.variable)} in ${printStatement(statement.source)}) ${block(statement.body)}`;
    default:
      return printControl(statement);
  }
}

type Control = Extract<Statement, { kind: 'while' | 'do' | 'for' | 'switch' | 'try' }>;

function printControl(statement: Control): string {
  switch (statement.kind) {
    case 'while':
      return `while (${printStatement(statement.condition)}) ${block(statement.body)}`;
    case 'do': {
      const word = statement.until ? 'until' : 'while';
      return `do ${block(statement.body)} ${word} (${printStatement(statement.condition)})`;
    }
    case 'for': {
      const parts = [statement.initial, statement.condition, statement.step];
      return `for (${parts.map((part) => (part === undefined ? '' : printStatement(part))).join('; ')}) ${block(statement.body)}`;
    }
    case 'switch':
      return printSwitch(statement);
    case 'try': {
      const catches = statement.catches.map(
        ({ types, body }) => ` catch ${types.map((type) => `[${type}] `).join('')}${block(body)}`,
      );
      const last = statement.last === undefined ? '' : ` finally ${block(statement.last)}`;
      return `try ${block(statement.body)}${catches.join('')}${last}`;
    }
  }
}

function printSwitch({ mode, caseSensitive, subject, clauses }: SwitchStatement): string {
  const flags = `${mode === undefined ? '' : ` -${mode}`}${caseSensitive ? ' -casesensitive' : ''}`;
  const bodies = clauses.map(
    ({ test, body }) => `${test === undefined ? 'default' : printExpression(test)} ${block(body)}`,
  );
  return `switch${flags} (${printStatement(subject)}) { ${bodies.join('; ')} }`;
}

function stage(node: Stage): string {
  const text = node.kind === 'command' ? command(node) : printExpression(node.expression);
  const redirections = node.redirections.map(({ stream, append, target }) => {
    const from = `${stream === '1' ? '' : stream}${append ? '>>' : '>'}`;
    return target === undefined ? ` ${from}&1` : ` ${from} ${printExpression(target)}`;
  });
  return text + redirections.join('');
}

/** Names that stand bare: nothing that a statement of another kind begins with. */
const bareName = /^[A-Za-z?%][\w-]*$/;

function command({ name, elements }: Command): string {
  const bare = name.kind === 'string' && bareName.test(name.value) && !keywords.has(name.value.toLowerCase());
  const head = bare ? name.value : `& ${printExpression(name)}`;
  return [head, ...elements.map(element)].join(' ');
}

// A command of this name prints with & although some of these are no keywords; that costs nothing.
const keywords: ReadonlySet<string> = new Set(
  `if foreach else elseif in function filter workflow configuration class enum interface data define var try catch finally trap
  throw while do until for switch return break continue exit param begin process end dynamicparam using from parallel sequence
  inlinescript`.split(/\s+/),
);

function element(node: CommandElement): string {
  if (node.kind === 'splat') return `@${node.name}`;
  if (node.kind === 'argument') return printExpression(node.value);
  return `-${node.name}${node.value === undefined ? '' : `:${printExpression(node.value)}`}`;
}

/** Writes an expression; the same text serves as an argument. */
export function printExpression(node: Expression): string {
  switch (node.kind) {
    case 'number':
      return isDash(node.text.charAt(0)) ? `-${node.text.slice(1)}` : node.text;
    case 'string':
      return quoted(node.value);
    case 'expandable':
      return `"${node.parts.map((part) => (typeof part === 'string' ? expandableText(part) : expandedPart(part))).join('')}"`;
    case 'variable':
      return variable(node.name);
    case 'type':
      return `[${node.name}]`;
    case 'array':
      return node.items.map(printExpression).join(', ');
    case 'array-expression':
      return `@(${statements(node.statements, '; ')})`;
    case 'sub-expression':
      return `$(${statements(node.statements, '; ')})`;
    case 'parenthesis':
      return `(${printStatement(node.statement)})`;
    case 'hashtable':
      return `@{${node.entries.map(({ key, value }) => `${printExpression(key)} = ${printStatement(value)}`).join('; ')}}`;
    case 'script-block':
      return block(node.body);
    default:
      return printOperation(node);
  }
}

type Operation = Extract<Expression, { kind: 'unary' | 'binary' | 'cast' | 'increment' | 'member' | 'call' | 'index' }>;

function printOperation(node: Operation): string {
  switch (node.kind) {
    case 'unary':
      return `${unaryText[node.operator]} ${printExpression(node.operand)}`;
    case 'binary': {
      const operator = /^[a-z]/.test(node.operator) ? `-${node.operator}` : node.operator;
      return `${printExpression(node.left)} ${operator} ${printExpression(node.right)}`;
    }
    case 'cast':
      return `[${node.type}]${printExpression(node.operand)}`;
    case 'increment':
      return node.prefix ? node.operator + printExpression(node.target) : printExpression(node.target) + node.operator;
    case 'member':
      return printExpression(node.target) + member(node);
    case 'call':
      return `${printExpression(node.target)}${member(node)}(${node.args.map(printExpression).join(', ')})`;
    case 'index':
      return `${printExpression(node.target)}[${printExpression(node.index)}]`;
  }
}

function member({ member: name, isStatic }: { member: Expression; isStatic: boolean }): string {
  const bare = name.kind === 'string' && /^[A-Za-z_]\w*$/.test(name.value);
  return `${isStatic ? '::' : '.'}${bare ? name.value : printExpression(name)}`;
}

/** `'…'` with inner single quotes, typographic ones too, doubled. */
export function quoted(text: string): string {
  return `'${[...text].map((char) => (isSingleQuote(char) ? char + char : char)).join('')}'`;
}

function expandableText(text: string): string {
  return [...text].map((char) => (isDoubleQuote(char) || char === '$' || char === '`' ? `\`${char}` : char)).join('');
}

function expandedPart(part: Extract<Expression, { kind: 'variable' | 'sub-expression' }>): string {
  return part.kind === 'variable' ? braced(part.name) : printExpression(part);
}

function variable(name: string): string {
  return /^(?:[$^?]|(?:\w+:)?\w+)$/.test(name) ? `$${name}` : braced(name);
}

function braced(name: string): string {
  return `\${${name.replace(/[`{}]/g, '`$&')}}`;
}
