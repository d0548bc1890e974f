import type { Variable } from './ast.ts';
import { escaped } from './characters.ts';
import type { Scanner } from './scanner.ts';

const namePattern = /[$^]|(?:[\p{L}\p{N}_]+:(?=[\p{L}\p{N}_?]))?[\p{L}\p{N}_?]+/uy;

/** Reads `$name`, `${any name}` or `$drive:name` at the cursor; undefined when the `$` begins no variable. */
export function readVariable(scanner: Scanner): Variable | undefined {
  const start = scanner.position;
  if (scanner.startsWith('${')) return readBraced(scanner);
  scanner.position += 1;
  const name = scanner.match(namePattern)?.[0];
  if (name === undefined) {
    scanner.position = start;
    return undefined;
  }
  scanner.position += name.length;
  if (scanner.peek() === ':' && scanner.peek(1) !== ':') {
    scanner.position += 1;
    scanner.fail(
      'InvalidVariableReferenceWithDrive',
      "Variable reference is not valid. ':' was not followed by a valid variable name character. Consider using ${} to delimit the name.",
      scanner.from(start),
    );
  }
  return { kind: 'variable', name, extent: scanner.from(start) };
}

function readBraced(scanner: Scanner): Variable {
  const start = scanner.position;
  scanner.position += 2;
  let name = '';
  while (scanner.peek() !== '}') {
    if (scanner.atEnd) {
      scanner.expected(
        'IncompleteDollarVariable',
        'The variable name is missing a closing brace }.',
        scanner.from(start),
      );
    }
    if (scanner.peek() === '`' && scanner.peek(1) !== '') {
      name += escaped(scanner.peek(1));
      scanner.position += 2;
    } else {
      name += scanner.peek();
      scanner.position += 1;
    }
  }
  scanner.position += 1;
  if (name === '') scanner.fail('EmptyVariableReference', 'Braced variable name cannot be empty.', scanner.from(start));
  return { kind: 'variable', name, extent: scanner.from(start) };
}
