import { printableLines } from '../../base/text/index.ts';
import type { ShellCmdlet } from '../interpreter/state/contract.ts';
import { toText } from '../values/text.ts';
import { builtIn, inputOf, listParameter, switchParameter, textParameter } from './builtin.ts';
import { selectProperties } from './property-selection.ts';

type Call = Parameters<ShellCmdlet['run']>[0];

function escaped(text: string): string {
  return printableLines(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function row(tag: string, cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
}

async function* table(call: Call): AsyncGenerator<string> {
  const specs = call.bound.has('Property') ? listParameter(call, 'Property') : ['*'];
  let labels: readonly string[] | undefined;
  yield '<table>';
  for await (const object of inputOf(call)) {
    const selected = selectProperties(specs, object, call.host);
    if (labels === undefined) {
      labels = selected.map(({ label }) => label);
      yield `<colgroup>${labels.map(() => '<col/>').join('')}</colgroup>`;
      yield row('th', labels);
    }
    const cells: string[] = [];
    for (const { read } of selected) cells.push(toText(await read(object)));
    yield row('td', cells);
  }
  yield '</table>';
}

const lines = (call: Call, name: string): readonly string[] => listParameter(call, name).map(toText);

/** ConvertTo-Html. */
export const convertToHtml: ShellCmdlet = builtIn(
  {
    name: 'ConvertTo-Html',
    synopsis: 'Turns objects into a table of a web page, for reports.',
    parameters: {
      Property: { type: 'Object[]', position: 0, help: 'Properties shown.' },
      Head: { type: 'String[]', position: 1, help: 'What stands in the head of the page.' },
      Title: { type: 'String', position: 2, help: 'Title of the page.' },
      Body: { type: 'String[]', position: 3, help: 'What stands at the beginning of the body.' },
      PreContent: { type: 'String[]', help: 'What stands before the table.' },
      PostContent: { type: 'String[]', help: 'What stands behind the table.' },
      Fragment: { type: 'SwitchParameter', help: 'Gives the table alone.' },
    },
    examples: [{ line: '[pscustomobject]@{a=1} | ConvertTo-Html -Fragment', text: 'Writes a table.' }],
  },
  async function* (call) {
    const whole = !switchParameter(call, 'Fragment');
    if (whole) {
      yield '<!DOCTYPE html>';
      yield '<html>';
      yield '<head>';
      if (call.bound.has('Head')) yield* lines(call, 'Head');
      else yield `<title>${escaped(textParameter(call, 'Title') ?? 'HTML TABLE')}</title>`;
      yield '</head><body>';
      yield* lines(call, 'Body');
    }
    yield* lines(call, 'PreContent');
    yield* table(call);
    yield* lines(call, 'PostContent');
    if (whole) yield '</body></html>';
  },
);
