import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutSecrets } from '../../src/shell/interpreter/state/secrets.ts';
import type { Pipeline } from '../../src/shell/language/ast.ts';
import { parse } from '../../src/shell/language/parser.ts';

/** What the audit log keeps of a line. Every `s3cret` must be gone. */
const rows: readonly (readonly [line: string, kept: string])[] = [
  ["Set-ReceiveConnector 'My relay' -Banner '220 x'", "Set-ReceiveConnector 'My relay' -Banner '220 x'"],
  [
    "New-X -P (ConvertTo-SecureString 's3cret' -AsPlainText -Force) -Name a",
    "New-X -P (ConvertTo-SecureString '********' -AsPlainText -Force) -Name a",
  ],
  ['Export-X -Password s3cret -Name a', "Export-X -Password '********' -Name a"],
  ['Export-X -password:"s3cret" a', "Export-X -password:'********' a"],
  ['Export-X -Password \'s3cret\', "s3cret$x" a', "Export-X -Password '********', '********' a"],
  ['Export-X -Password $pw -Name a', 'Export-X -Password $pw -Name a'],
  [
    "New-X -Credential (New-Object PSCredential 's3cret', $p)",
    "New-X -Credential (New-Object '********' '********', $p)",
  ],
  ["New-X ([securestring]'s3cret')", "New-X ([securestring]'********')"],
  ["New-X ([pscredential]::new('s3cret', $p))", "New-X ([pscredential]::new('********', $p))"],
  [
    "New-X -Y @{ a = (ConvertTo-SecureString 's3cret') } | Set-Y -Key 's3cret'",
    "New-X -Y @{ a = (ConvertTo-SecureString '********') } | Set-Y -Key '********'",
  ],
];
for (const [line, kept] of rows) {
  test(line, () => {
    const { script, errors } = parse(`$before = 1\n${line}\n$after = 2`);
    assert.deepEqual(errors, []);
    assert.equal(withoutSecrets(script.statements[1] as Pipeline, `$before = 1\n${line}\n$after = 2`), kept);
  });
}
