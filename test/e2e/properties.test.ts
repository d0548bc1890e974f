import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cmdletCatalogue } from '../../src/cmdlets/index.ts';
import { Appliance } from '../lib/appliance.ts';
import { needs } from '../lib/peers.ts';

interface Row {
  readonly noun: string;
  readonly object: string;
  readonly parameter: string;
  readonly typed: string;
  readonly shown: string;
  readonly attribute: string;
  /** One of `refusals`: refused, whatever the value. */
  readonly stored: string;
  readonly wrong: string;
}

const rows: readonly Row[] = readFileSync(new URL('properties.tsv', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [noun = '', object = '', parameter = '', typed = '', shown = '', attribute = '', stored = '', wrong = ''] =
      line.split('\t');
    return { noun, object, parameter, typed, shown, attribute, stored, wrong };
  });
/** What stands for a parameter that is not taken, and what the cmdlet says. */
const refusals: Readonly<Record<string, RegExp>> = {
  'not implemented yet': /^! .*not implemented yet/,
  'not on an Edge': /^! .*can't be used on an Edge/,
};
const isBuilt = ({ stored }: Row): boolean => refusals[stored] === undefined;
const nouns = [...new Set(rows.map(({ noun }) => noun))];

/** A value as it is typed: `$true` bare, anything else in double quotes. */
const literal = (value: string): string => (value.startsWith('$') ? value : `"${value}"`);
const get = ({ noun, object }: Row): string => (object === '' ? `Get-${noun}` : `Get-${noun} "${object}"`);
const titleOf = ({ noun, object, parameter }: Row): string => `${noun} ${object} ${parameter}`;

test('connectors, remote domains and what rules transport have nothing that is not implemented', () => {
  const whole = /^(?:ReceiveConnector|SendConnector|RemoteDomain|TransportConfig|TransportService)$/;
  const missing = rows.filter(({ noun, stored }) => whole.test(noun) && stored === 'not implemented yet');
  assert.deepEqual(missing.map(titleOf), []);
});

test('the table has every property that a Set- cmdlet takes', () => {
  const general =
    /^(?:Identity|Name|Confirm|WhatIf|DomainController|Force|Server|TransportRole|SourceTransportServers|AuthenticationCredential|MakeDefault|Internal|PendingCompletion|PendingRemoval)$/;
  for (const noun of nouns) {
    const set = cmdletCatalogue().find(`Set-${noun}`) ?? assert.fail(noun);
    const listed = rows.filter((row) => row.noun === noun).map(({ parameter }) => parameter);
    const missing = set.parameters.filter((one) => {
      return !general.test(one.name) && one.notImplementedYet !== true && !listed.includes(one.name);
    });
    assert.deepEqual(
      missing.map(({ name }) => name),
      [],
      noun,
    );
  }
});

describe('every property', needs('ldapsearch'), () => {
  let edge: Appliance;
  let shown: ReadonlyMap<string, string>;

  before(async () => {
    edge = await Appliance.start({
      workers: 1,
      lines: [
        'New-ReceiveConnector -Name Relay -Usage Custom -Bindings 127.0.0.1:2531 -RemoteIPRanges 127.0.0.9',
        'New-SendConnector -Name Out -AddressSpaces a.example',
        'New-SendConnector -Name Plain -AddressSpaces b.example',
        'New-SendConnector -Name Secure -AddressSpaces c.example',
        'New-AcceptedDomain -Name Corp -DomainName corp.example',
      ],
    });
    shown = await said(
      rows.filter(isBuilt).map((row) => [row, `${get(row)} | Set-${row.noun} -${row.parameter} ${literal(row.typed)}`]),
    );
  });
  after(async () => edge?.[Symbol.asyncDispose]());

  /** Runs a line for each row in one script, then shows the property, or the error of the line. By title. */
  async function said(lines: readonly (readonly [row: Row, line: string])[]): Promise<ReadonlyMap<string, string>> {
    const script = lines.map(([row, line], i) => {
      const value = `"$i=$((${get(row)}).${row.parameter})"`.replace('$i', `${i}`);
      return `try { ${line} -Confirm:$false -ErrorAction Stop; ${value} } catch { "${i}! $($_.Exception.Message)" }`;
    });
    const path = join(edge.state, '..', 'script.ps1');
    writeFileSync(path, `$WarningPreference = 'SilentlyContinue'\n${script.join('\n')}\n`);
    const out = await edge.shellFile(path);
    const answers = new Map(
      out.split(/\r?\n/).flatMap((line) => {
        const match = /^(\d+)(=|! )(.*)$/.exec(line);
        return match === null ? [] : [[Number(match[1]), match[2] === '=' ? (match[3] ?? '') : `! ${match[3] ?? ''}`]];
      }),
    );
    return new Map(lines.map(([row], i) => [titleOf(row), answers.get(i) ?? `nothing was said\n${out}`]));
  }

  const ldapsearch = (...args: string[]): string =>
    execFileSync(
      'ldapsearch',
      [
        '-H',
        `ldapi://${encodeURIComponent(join(edge.state, 'run/ldapi'))}`,
        '-Y',
        'EXTERNAL',
        '-Q',
        '-LLL',
        '-o',
        'ldif-wrap=no',
        ...args,
      ],
      { encoding: 'utf8' },
    );
  const dns = new Map<string, string>();
  async function entryOf(row: Row, ...attributes: string[]): Promise<string> {
    const key = `${row.noun} ${row.object}`;
    const dn = dns.get(key) ?? (await edge.shell(`(${get(row)}).DistinguishedName`)).trim();
    dns.set(key, dn);
    return ldapsearch('-b', dn, '-s', 'base', '(objectClass=*)', ...attributes);
  }

  test('is set, and shown as it was set', () => {
    const wrong = rows.filter((row) => isBuilt(row) && shown.get(titleOf(row)) !== row.shown);
    assert.deepEqual(
      wrong.map((row) => `${titleOf(row)}: ${shown.get(titleOf(row))}`),
      [],
    );
  });

  test('is stored under its attribute, as ldapsearch finds it', async () => {
    const wrong: string[] = [];
    const entries = new Map<string, string>();
    for (const row of rows.filter(isBuilt)) {
      const [attribute = '', bits = ''] = row.attribute.split(':');
      const ldif = entries.get(`${row.noun} ${row.object}`) ?? (await entryOf(row, '*', '+'));
      entries.set(`${row.noun} ${row.object}`, ldif);
      const lines = ldif.matchAll(new RegExp(`^${attribute}:(:?) (.*)$`, 'gim'));
      const values = [...lines].map(([, coded, text = '']) =>
        coded === ':' ? Buffer.from(text, 'base64').toString('utf8') : text,
      );
      const stored = storedOf(values, bits, row.stored);
      if (stored !== row.stored) wrong.push(`${titleOf(row)}: ${stored}`);
    }
    assert.deepEqual(wrong, []);
  });

  test('is refused when its value is out of range or means nothing, and nothing changes', async () => {
    const refusable = rows.filter(({ wrong }) => wrong !== '');
    const before = await Promise.all(nouns.map((noun) => stamp(noun)));
    const errors = await said(
      refusable.map((row) => [row, `${get(row)} | Set-${row.noun} -${row.parameter} ${literal(row.wrong)}`]),
    );
    for (const row of refusable) {
      assert.match(errors.get(titleOf(row)) ?? '', /^! .{30,}/, `${titleOf(row)} took ${row.wrong}`);
    }
    assert.deepEqual(await Promise.all(nouns.map((noun) => stamp(noun))), before);
  });

  test('is refused when nothing stands behind it yet, and never ignored', async () => {
    const unbuilt = rows.filter((row) => !isBuilt(row));
    const errors = await said(
      unbuilt.map((row) => [row, `Set-${row.noun} ${row.object} -${row.parameter} ${literal(row.typed)}`]),
    );
    const others = unbuilt.filter((row) => refusals[row.stored]?.test(errors.get(titleOf(row)) ?? '') !== true);
    assert.deepEqual(
      others.map((row) => [titleOf(row), errors.get(titleOf(row))]),
      [],
    );
  });

  /** When the entries of a noun were changed last. */
  async function stamp(noun: string): Promise<string> {
    const some = rows.filter((row) => row.noun === noun && isBuilt(row));
    const stamps = await Promise.all(some.slice(0, 1).map((row) => entryOf(row, 'uSNChanged')));
    return stamps.join();
  }
});

/** The value of an attribute; of a packed one the bits of the property, lowest first. */
function storedOf(values: readonly string[], bits: string, wanted: string): string {
  // What a security descriptor says is a matter of its own tests; here it counts where it is.
  if (wanted.endsWith('*')) return values[0]?.startsWith(wanted.slice(0, -1)) === true ? wanted : values.join(' ');
  if (bits === '') return values.join(' ');
  const packed = Number(values[0] ?? 0);
  const own = bits.split('+').reduce((sum, bit, at) => sum | (((packed >>> Number(bit)) & 1) << at), 0);
  return String(own);
}
