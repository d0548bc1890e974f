import { nearestNameHint } from '../../../base/index.ts';
import { ShellError } from '../../values/shell-error.ts';

/** Commands of PowerShell and Windows that administrators' scripts name, by the reason why this shell has none of them. */
const outside: readonly (readonly [reason: string, names: RegExp])[] = [
  [
    'files are read and written with Get-Content, Set-Content, Import-Csv and Export-Csv, and managed outside this shell',
    /^(?:(?:Copy|Move|Remove|Rename|New|Get|Set|Invoke|Clear)-Item(?:Property)?|Get-ChildItem|Get-Acl|Set-Acl|Resolve-Path|(?:Get|Set|Push|Pop)-Location|cd|chdir|dir|ls|pwd|del|copy|move|ren|mkdir|md|rm|rmdir|cp|mv|gci)$/i,
  ],
  [
    "the services of the appliance are looked at with 'edge status', and started and stopped with 'edge start' and signals",
    /^(?:(?:Get|Start|Stop|Set|New|Suspend|Resume)-Service|net|sc\.exe|services\.msc|iisreset)$/i,
  ],
  [
    'lines run on this server alone; sessions with other servers are not opened from here',
    /^(?:(?:New|Enter|Exit|Get|Remove|Import|Connect)-PSSession|Invoke-Command|Connect-Exchange\w*|Start-Job|Wait-Job|Receive-Job|Get-Job)$/i,
  ],
  [
    'it would run text or programs that this shell has not read',
    /^(?:Invoke-Expression|iex|Start-Process|Invoke-Item|cmd(?:\.exe)?|powershell(?:\.exe)?|pwsh|bash|sh|sudo)$/i,
  ],
  [
    'it works on Windows, not on the transport service',
    /^(?:Get-Process|Stop-Process|Get-(?:Wmi|Cim)\w+|Get-(?:Win)?Event(?:Log)?|\w+-ScheduledTask|(?:Get|Set)-ExecutionPolicy|Get-PSDrive|New-PSDrive|Get-Module|Get-PSSnapin|ipconfig|netstat|ping|nslookup|telnet|Test-(?:Net)?Connection|Resolve-DnsName|Invoke-(?:WebRequest|RestMethod)|Send-MailMessage|ConvertFrom-SecureString|Add-Type)$/i,
  ],
  [
    "what a line prints goes into a file with Out-File, Tee-Object or '>'",
    /^(?:Start-Transcript|Stop-Transcript|Out-GridView|Out-Printer|Write-EventLog)$/i,
  ],
  ["a script is run by 'edge shell FILE'", /\.ps1$/i],
];

/** The error for a name that no cmdlet has, with the nearest name or why there is none. */
export function commandNotFound(name: string, known: Iterable<string>): ShellError {
  const reason = outside.find(([, names]) => names.test(name))?.[0];
  const message =
    reason === undefined
      ? `The term '${name}' is not recognized as the name of a cmdlet, function, script file, or operable program. Check the spelling of the name, or if a path was included, verify that the path is correct and try again.${nearestNameHint(name, known)}`
      : `'${name}' is outside the language of this shell: ${reason}.`;
  return new ShellError(message, {
    id: 'CommandNotFoundException',
    category: 'ObjectNotFound',
    exception: 'CommandNotFoundException',
    target: name,
    subject: name,
  });
}
