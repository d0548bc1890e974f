/** What there is to call where cmdlets run: the caller's side of the method `cmdlets`. */
import { flag, list, maybe, oneOf, pair, record, text, whole } from '../../base/index.ts';
import type { CmdletDescription, CmdletDescriptions, Parameter } from '../../cmdlets/calling/index.ts';
import type { CallerNow } from '../cmdlet-client/remote-cmdlet-runner.ts';
import type { ParameterOverWire } from '../cmdlet-wire.ts';

const texts = list(text(), 1000);

const parameterShape = record<ParameterOverWire>({
  name: text(),
  type: text(),
  position: maybe(whole()),
  mandatory: maybe(flag),
  pipeline: maybe(flag),
  aliases: maybe(texts),
  isSwitch: maybe(flag),
  multivalued: maybe(flag),
  allowed: maybe(texts),
  identityOf: maybe(text()),
  parameterSets: maybe(texts),
  help: maybe(text()),
  notImplementedYet: maybe(flag),
  onlyIn: maybe(text()),
  checked: maybe(flag),
});

const shape = record({
  cmdlets: list(
    record<Omit<CmdletDescription, 'parameters'> & { readonly parameters: readonly ParameterOverWire[] }>({
      name: text(),
      synopsis: text(),
      parameters: list(parameterShape, 1000),
      supportsShouldProcess: flag,
      examples: list(record({ line: text(), says: text() }), 100),
      notImplementedYet: maybe(flag),
    }),
    1000,
  ),
  views: list(pair(text(), record({ kind: oneOf('table', 'list'), columns: texts })), 1000),
});

/**
 * The descriptions that the service gives. Values of parameters are judged here all the same, by this program's own cmdlets, which
 * are loaded when a line first has such a value. Throws NotRunningError, and ShapeError for what no service sends.
 */
export async function describedCmdlets(callerNow: CallerNow): Promise<CmdletDescriptions> {
  const { cmdlets, views } = shape(await (await callerNow()).call('cmdlets', null), 'cmdlets');
  const checks = new LocalChecks();
  return {
    all: cmdlets.map((cmdlet) => ({
      ...cmdlet,
      parameters: cmdlet.parameters.map((parameter) => checks.addTo(cmdlet.name, parameter)),
    })),
    views: new Map(views),
  };
}

type Check = NonNullable<Parameter['check']>;

/** What is said of values before they are sent. */
class LocalChecks {
  readonly #byName = new Map<string, Check | undefined>();

  addTo(cmdlet: string, { checked, ...parameter }: ParameterOverWire): Parameter {
    if (checked !== true) return parameter;
    const key = `${cmdlet} ${parameter.name}`;
    return { ...parameter, ready: () => this.#load(), check: (value) => this.#byName.get(key)?.(value) };
  }

  async #load(): Promise<void> {
    if (this.#byName.size > 0) return;
    const { cmdletCatalogue } = await import('../../cmdlets/index.ts');
    for (const { name, parameters } of cmdletCatalogue().all)
      for (const parameter of parameters) this.#byName.set(`${name} ${parameter.name}`, parameter.check);
  }
}
