import type { FileAccess } from '../interpreter/state/context.ts';
import type { ShellCmdlet } from '../interpreter/state/contract.ts';
import { fileError } from '../values/file-error.ts';
import { findProperty } from '../values/members.ts';
import { ShellError } from '../values/shell-error.ts';
import { builtIn, inputOf, textParameter } from './builtin.ts';

/** AssembleMessage, the function that Exchange's shell has for `Export-Message … | AssembleMessage -Path`. */
export function assembleMessage(files: FileAccess): ShellCmdlet {
  return builtIn(
    {
      name: 'AssembleMessage',
      synopsis: 'Writes the message that Export-Message gives into a file.',
      parameters: { Path: { type: 'String', position: 0, mandatory: true, help: 'The file.' } },
    },
    async function* (call) {
      const path = textParameter(call, 'Path') ?? '';
      for await (const object of inputOf(call)) {
        const content = findProperty(object, 'FileData');
        if (!(content instanceof Uint8Array)) {
          throw new ShellError('AssembleMessage takes what Export-Message gives.', {
            id: 'InputObjectNotBound',
            category: 'InvalidArgument',
            exception: 'ParameterBindingException',
            target: object,
          });
        }
        await files.write(path, content, false).catch((cause: unknown) => {
          throw fileError(path, cause, 'WriteError');
        });
      }
      yield* [];
    },
  );
}
