import { setTimeout } from 'node:timers/promises';
import { SecureString } from '../../cmdlets/calling/index.ts';
import { renderText, type ViewFinder } from '../format/output.ts';
import { cancelled } from '../interpreter/state/budget.ts';
import type { FileAccess } from '../interpreter/state/context.ts';
import type { ShellCmdlet } from '../interpreter/state/contract.ts';
import { timeSpan } from '../values/quantity.ts';
import { ScriptBlock } from '../values/script-block.ts';
import { ShellError } from '../values/shell-error.ts';
import { ShellObject } from '../values/shell-object.ts';
import { toText } from '../values/text.ts';
import { builtIn, inputOf, listParameter, numberParameter, switchParameter, textParameter } from './builtin.ts';
import { writeText } from './files.ts';

/** Longest sleep of one line: a day. */
const maxSleepSeconds = 86_400;

type Call = Parameters<ShellCmdlet['run']>[0];

async function* sleep(call: Call): AsyncGenerator<unknown> {
  const milliseconds = numberParameter(call, 'Milliseconds') ?? (numberParameter(call, 'Seconds') ?? 0) * 1000;
  try {
    await setTimeout(milliseconds, undefined, { signal: call.host.signal });
  } catch {
    throw cancelled();
  }
  yield* [];
}

function credential(user: string, password: unknown): ShellObject {
  return new ShellObject('System.Management.Automation.PSCredential', [
    ['UserName', user],
    ['Password', password],
  ]);
}

async function* getCredential(call: Call): AsyncGenerator<unknown> {
  const given = call.bound.get('Credential');
  if (given instanceof ShellObject) {
    yield given;
    return;
  }
  const caption = 'Windows PowerShell credential request';
  const message = textParameter(call, 'Message') ?? 'Enter your credentials.';
  const question = { caption, choices: [], defaultChoice: 0 };
  const known = given === undefined ? textParameter(call, 'UserName') : toText(given);
  const user = known ?? (await call.host.ask({ ...question, message: `${message}\nUser` }));
  const password = await call.host.ask({ ...question, message: `Password for user ${user}`, secret: true });
  yield credential(user, new SecureString(password));
}

async function* toSecureString(call: Call): AsyncGenerator<unknown> {
  if (!switchParameter(call, 'AsPlainText')) {
    throw new ShellError('Encrypted standard strings are outside this shell: give the text with -AsPlainText -Force.', {
      id: 'ImportSecureString_InvalidArgument',
      category: 'InvalidArgument',
      exception: 'ArgumentException',
    });
  }
  if (!switchParameter(call, 'Force')) {
    throw new ShellError(
      'The system cannot protect plain text input. To suppress this warning and convert the plain text to a SecureString, reissue the command specifying the Force parameter.',
      {
        id: 'ImportSecureString_ForceRequired',
        category: 'InvalidArgument',
        exception: 'ArgumentException',
      },
    );
  }
  const texts = call.bound.has('String') ? [call.bound.get('String')] : call.input;
  if (texts !== undefined) for await (const text of texts) yield new SecureString(toText(text));
}

async function* listed(items: readonly unknown[]): AsyncGenerator<unknown> {
  yield* items;
}

function tee(files: FileAccess, findView: ViewFinder): ShellCmdlet {
  return builtIn(
    {
      name: 'Tee-Object',
      synopsis: 'Keeps objects in a file or a variable and passes them on.',
      parameters: {
        FilePath: { type: 'String', position: 0, aliases: ['Path', 'LiteralPath'], help: 'The file.' },
        Variable: { type: 'String', help: 'Name of the variable, without the $.' },
        Append: { type: 'SwitchParameter', help: 'Adds to the end of the file.' },
      },
      examples: [
        { line: '1..3 | Tee-Object -Variable numbers; $numbers.Count', text: 'Shows numbers and keeps them.' },
      ],
    },
    async function* (call) {
      const kept: unknown[] = [];
      for await (const object of inputOf(call)) {
        kept.push(object);
        yield object;
      }
      const variable = textParameter(call, 'Variable');
      if (variable !== undefined) {
        call.host.setVariable(variable, kept);
        return;
      }
      let text = '';
      const options = { ...call.host.render, colour: false };
      for await (const chunk of renderText(listed(kept), options, findView)) text += chunk;
      await writeText(call, files, text);
    },
  );
}

/** What asks, waits, tells the time passing, or keeps what passes by. */
export function interactionCmdlets(files: FileAccess, findView: ViewFinder): readonly ShellCmdlet[] {
  return [
    tee(files, findView),
    builtIn(
      {
        name: 'Read-Host',
        synopsis: 'Asks the person for a text.',
        parameters: {
          Prompt: { type: 'Object', position: 0, remaining: true, parse: (value) => value, help: 'The question.' },
          AsSecureString: { type: 'SwitchParameter', help: 'Does not show what is typed.' },
        },
      },
      async function* (call) {
        const secret = switchParameter(call, 'AsSecureString');
        const message = listParameter(call, 'Prompt').map(toText).join(' ');
        const answer = await call.host.ask({ caption: '', message, choices: [], defaultChoice: 0, secret });
        yield secret ? new SecureString(answer) : answer;
      },
    ),
    builtIn(
      {
        name: 'Get-Credential',
        synopsis: 'Asks the person for a user name and a password.',
        parameters: {
          Credential: { type: 'PSCredential', position: 0, help: 'The user name.' },
          UserName: { type: 'String', help: 'The user name.' },
          Message: { type: 'String', help: 'What is said before.' },
        },
      },
      getCredential,
    ),
    builtIn(
      {
        name: 'ConvertTo-SecureString',
        synopsis: 'Turns a text into one that no output shows, for -Password.',
        examples: [{ line: "ConvertTo-SecureString 'text' -AsPlainText -Force", text: 'For -Password parameters.' }],
        parameters: {
          String: { type: 'String', position: 0, help: 'The text.' },
          AsPlainText: { type: 'SwitchParameter', help: 'The text stands in clear.' },
          Force: { type: 'SwitchParameter', help: 'Confirms -AsPlainText.' },
        },
      },
      toSecureString,
    ),
    builtIn(
      {
        name: 'Start-Sleep',
        synopsis: 'Waits.',
        parameters: {
          Seconds: { type: 'Double', position: 0, min: 0, max: maxSleepSeconds, help: 'How long, in seconds.' },
          Milliseconds: {
            type: 'Int32',
            aliases: ['m'],
            min: 0,
            max: maxSleepSeconds * 1000,
            help: 'In milliseconds.',
          },
        },
        examples: [{ line: 'Start-Sleep -Milliseconds 10', text: 'Waits for a hundredth of a second.' }],
      },
      sleep,
    ),
    builtIn(
      {
        name: 'Measure-Command',
        synopsis: 'Tells how long a block takes.',
        parameters: { Expression: { type: 'ScriptBlock', position: 0, mandatory: true, help: 'The block.' } },
        examples: [{ line: 'Measure-Command { 1..10 } | Select-Object Days', text: 'Gives a span of time.' }],
      },
      async function* (call) {
        const block = call.bound.get('Expression');
        const started = performance.now();
        if (block instanceof ScriptBlock) await call.host.invoke(block, null);
        yield timeSpan((performance.now() - started) / 1000);
      },
    ),
    builtIn(
      {
        name: 'Write-Progress',
        synopsis: 'Shows how far work has come.',
        examples: [{ line: "Write-Progress -Activity 'Draining queues' -PercentComplete 50", text: 'Half is done.' }],
        parameters: {
          Activity: { type: 'String', position: 0, mandatory: true, help: 'What is done.' },
          Status: { type: 'String', position: 1, help: 'What is done now.' },
          PercentComplete: { type: 'Int32', min: -1, max: 100, help: 'How much is done.' },
          Id: { type: 'Int32', help: 'Taken for compatibility.' },
          ParentId: { type: 'Int32', help: 'Taken for compatibility.' },
          SecondsRemaining: { type: 'Int32', help: 'Taken for compatibility.' },
          CurrentOperation: { type: 'String', help: 'Taken for compatibility.' },
          Completed: { type: 'SwitchParameter', help: 'The work is done.' },
        },
      },
      async function* (call) {
        const done = switchParameter(call, 'Completed');
        const percent = done ? 100 : numberParameter(call, 'PercentComplete');
        const shown = percent === undefined || percent < 0 ? undefined : percent;
        call.host.progress(textParameter(call, 'Activity') ?? '', textParameter(call, 'Status') ?? 'Processing', shown);
        yield* [];
      },
    ),
    builtIn(
      { name: 'Clear-Host', synopsis: 'Clears the screen of a terminal.', parameters: {} },
      async function* (call) {
        if (call.host.render.colour) call.host.print('\u001B[2J\u001B[H');
        yield* [];
      },
    ),
  ];
}
