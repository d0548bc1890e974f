import type { CmdletDescriptions } from '../cmdlets/calling/index.ts';
import { builtInCmdlets } from './builtins/all.ts';
import { Catalogue } from './catalogue.ts';
import { productCmdlet } from './product-cmdlet.ts';

/** Every command that a script may name, for checks: nothing of it can run. */
export function knownCommands(cmdlets: CmdletDescriptions): Catalogue {
  const nothingRuns = (): never => {
    throw new Error('a script is only looked at');
  };
  const files = { read: nothingRuns, write: nothingRuns, exists: nothingRuns };
  return new Catalogue([
    ...builtInCmdlets({ files, now: nothingRuns, findView: nothingRuns, finder: nothingRuns }),
    ...cmdlets.all.map((cmdlet) => productCmdlet(cmdlet, { run: nothingRuns })),
  ]);
}
