import type { FileAccess } from '../interpreter/state/context.ts';
import type { ShellCmdlet } from '../interpreter/state/contract.ts';
import { encodings } from '../interpreter/state/encodings.ts';
import { formatDate } from '../values/dates.ts';
import { Hashtable } from '../values/hashtable.ts';
import { propertiesOf } from '../values/members.ts';
import { isTimeSpan } from '../values/quantity.ts';
import { ShellError } from '../values/shell-error.ts';
import { ShellObject } from '../values/shell-object.ts';
import { toText } from '../values/text.ts';
import { typeNameOf } from '../values/types.ts';
import { builtIn, inputOf, numberParameter } from './builtin.ts';
import { fromCliXml } from './clixml-reader.ts';
import { encodingParameter, readFile, writeText } from './files.ts';

/** [MS-PSRP] 2.2.5: the XML form of serialized objects, as Export-Clixml keeps them. */
const namespace = 'http://schemas.microsoft.com/powershell/2004/04';

/** Text inside XML; characters that XML has no place for are written as _xHHHH_ ([MS-PSRP] 2.2.5.3.2). */
function escape(text: string): string {
  const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return (
    text
      // Four digits are enough: the escape of a character behind them would close what reads as one.
      .replace(/_x(?=[0-9A-Fa-f]{4})/g, '_x005F_x')
      .replace(
        /[\u0000-\u001F\u007F-\u009F\uFFFE\uFFFF]/g,
        (char) => `_x${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`,
      )
      .replace(/[&<>"]/g, (char) => named[char] ?? char)
  );
}

/** `P<days>DT…S` of a span of time (XML Schema duration). */
function duration(seconds: number): string {
  const span = Math.abs(seconds);
  const days = Math.floor(span / 86_400);
  const parts = [`${Math.floor(span / 3600) % 24}H`, `${Math.floor(span / 60) % 60}M`, `${span % 60}S`].filter(
    (part) => !/^0[HMS]$/.test(part),
  );
  const time = parts.length === 0 ? (days === 0 ? 'T0S' : '') : `T${parts.join('')}`;
  return `${seconds < 0 ? '-' : ''}P${days > 0 ? `${days}D` : ''}${time}`;
}

/** XmlConvert.ToString: no more digits of a second than there are. */
const xmlDate = (date: Date): string =>
  formatDate(date, 'o').replace(/\.(\d*?)0*(?=[Z+-]|$)/, (_, digits: string) => (digits === '' ? '' : `.${digits}`));

/** Numbers reference ids of objects and types through one file. */
class Writer {
  #objects = 0;
  #types = 0;

  element(value: unknown, depth: number, name = ''): string {
    const attribute = name === '' ? '' : ` N="${escape(name)}"`;
    const simple = (tag: string, text: string): string => `<${tag}${attribute}>${text}</${tag}>`;
    if (value === null || value === undefined) return `<Nil${attribute} />`;
    if (typeof value === 'string') return simple('S', escape(value));
    if (typeof value === 'boolean') return simple('B', String(value));
    if (typeof value === 'number') return this.#number(value, simple);
    if (value instanceof Date) return simple('DT', xmlDate(value));
    if (value instanceof Uint8Array) return simple('BA', Buffer.from(value).toString('base64'));
    if (isTimeSpan(value)) return simple('TS', duration(value.value));
    if (Array.isArray(value)) return this.#list(value, depth, attribute);
    if (value instanceof Hashtable) return this.#table(value, depth, attribute);
    return value instanceof ShellObject && depth > 0
      ? this.#object(value, depth, attribute)
      : simple('S', escape(toText(value)));
  }

  #number(value: number, simple: (tag: string, text: string) => string): string {
    if (!Number.isFinite(value)) return simple('S', toText(value));
    return simple(Number.isInteger(value) ? (Math.abs(value) < 2 ** 31 ? 'I32' : 'I64') : 'Db', toText(value));
  }

  #open(attribute: string, type: string): string {
    const names = [type, 'System.Object'].map((name) => `<T>${escape(name)}</T>`).join('');
    const open = `<Obj${attribute} RefId="${this.#objects}"><TN RefId="${this.#types}">${names}</TN>`;
    this.#objects += 1;
    this.#types += 1;
    return open;
  }

  #list(values: readonly unknown[], depth: number, attribute: string): string {
    const open = this.#open(attribute, 'System.Object[]');
    return `${open}<LST>${values.map((value) => this.element(value, depth - 1)).join('')}</LST></Obj>`;
  }

  #table(table: Hashtable, depth: number, attribute: string): string {
    const open = this.#open(attribute, 'System.Collections.Hashtable');
    const entries = table
      .entries()
      .map(([key, value]) => `<En>${this.element(key, 0, 'Key')}${this.element(value, depth - 1, 'Value')}</En>`);
    return `${open}<DCT>${entries.join('')}</DCT></Obj>`;
  }

  #object(object: ShellObject, depth: number, attribute: string): string {
    const open = this.#open(attribute, typeNameOf(object));
    const properties = propertiesOf(object).map(([name, value]) => this.element(value, depth - 1, name));
    return `${open}<ToString>${escape(toText(object))}</ToString><Props>${properties.join('')}</Props></Obj>`;
  }
}

/** Objects as one CLIXML document. */
export function toCliXml(objects: readonly unknown[], depth: number): string {
  const writer = new Writer();
  const body = objects.map((object) => `  ${writer.element(object, depth)}\n`).join('');
  return `<Objs Version="1.1.0.1" xmlns="${namespace}">\n${body}</Objs>`;
}

function importClixml(files: FileAccess): ShellCmdlet {
  return builtIn(
    {
      name: 'Import-Clixml',
      synopsis: 'Reads objects from a file that Export-Clixml wrote, here or in PowerShell.',
      examples: [
        {
          line: 'Get-Queue | Export-Clixml queues.xml; Import-Clixml queues.xml | Select-Object Identity',
          text: 'Reads them back.',
        },
      ],
      parameters: {
        Path: { type: 'String', position: 0, mandatory: true, aliases: ['LiteralPath'], help: 'The file.' },
      },
    },
    async function* (call) {
      const content = await readFile(call, files);
      const wide = content[0] === 0xff && content[1] === 0xfe;
      try {
        yield* fromCliXml((wide ? encodings.Unicode : encodings.UTF8).decode(content));
      } catch (cause) {
        if (!(cause instanceof RangeError)) throw cause;
        throw new ShellError(`The file cannot be read: ${cause.message}.`, {
          id: 'InvalidCliXml',
          category: 'InvalidData',
          exception: 'XmlException',
          cause,
        });
      }
    },
  );
}

/** Export-Clixml and Import-Clixml. */
export function clixmlCmdlets(files: FileAccess): readonly ShellCmdlet[] {
  return [exportClixml(files), importClixml(files)];
}

function exportClixml(files: FileAccess): ShellCmdlet {
  return builtIn(
    {
      name: 'Export-Clixml',
      synopsis: 'Writes objects into an XML file that PowerShell reads back with Import-Clixml.',
      examples: [{ line: 'Get-Queue | Export-Clixml queues.xml', text: 'Keeps objects with their types.' }],
      parameters: {
        Path: { type: 'String', position: 0, mandatory: true, aliases: ['LiteralPath'], help: 'The file.' },
        Depth: { type: 'Int32', min: 1, max: 100, help: 'How deep objects stand inside each other; default 2.' },
        Encoding: encodingParameter,
        NoClobber: { type: 'SwitchParameter', help: 'Does not replace a file.' },
        Force: { type: 'SwitchParameter', help: 'Taken for compatibility.' },
      },
    },
    async function* (call) {
      const objects: unknown[] = [];
      for await (const object of inputOf(call)) objects.push(object);
      await writeText(call, files, toCliXml(objects, numberParameter(call, 'Depth') ?? 2));
      yield* [];
    },
  );
}
