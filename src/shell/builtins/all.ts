import type { CommandFinder } from '../catalogue.ts';
import type { View } from '../format/views.ts';
import type { FileAccess } from '../interpreter/state/context.ts';
import type { ShellCmdlet } from '../interpreter/state/contract.ts';
import { assembleMessage } from './assemble-message.ts';
import { clixmlCmdlets } from './clixml.ts';
import { compatibilityCmdlets } from './compatibility.ts';
import { csvCmdlets } from './csv.ts';
import { dateCmdlets } from './dates.ts';
import { fileCmdlets } from './files.ts';
import { formatCmdlets } from './format-cmdlets.ts';
import { getMember } from './get-member.ts';
import { helpCmdlets } from './help.ts';
import { convertToHtml } from './html.ts';
import { interactionCmdlets } from './interaction.ts';
import { jsonCmdlets } from './json.ts';
import { compareObject, measureObject } from './measure-compare.ts';
import { objectCmdlets } from './new-object.ts';
import { pathCmdlets } from './paths.ts';
import { selectObject } from './select-object.ts';
import { groupObject, sortObject } from './sort-group.ts';
import { selectString } from './text-search.ts';
import { variableCmdlets } from './variables.ts';
import { forEachObject, whereObject } from './where-foreach.ts';
import { writeCmdlets } from './write.ts';

/** What the cmdlets of the language work with. */
export interface BuiltInParts {
  readonly files: FileAccess;
  readonly now: () => number;
  readonly findView: (typeName: string) => View | undefined;
  readonly finder: () => CommandFinder;
}

/** Every cmdlet of the language itself. */
export function builtInCmdlets({ files, now, findView, finder }: BuiltInParts): readonly ShellCmdlet[] {
  return [
    selectObject,
    sortObject,
    groupObject,
    measureObject,
    compareObject,
    whereObject,
    forEachObject,
    getMember,
    ...formatCmdlets(findView),
    ...csvCmdlets(files),
    ...jsonCmdlets,
    ...fileCmdlets(files, findView),
    ...clixmlCmdlets(files),
    convertToHtml,
    ...writeCmdlets,
    ...variableCmdlets,
    ...objectCmdlets,
    ...pathCmdlets,
    ...compatibilityCmdlets,
    ...interactionCmdlets(files, findView),
    selectString(files),
    assembleMessage(files),
    ...dateCmdlets(now),
    ...helpCmdlets(finder),
  ];
}
