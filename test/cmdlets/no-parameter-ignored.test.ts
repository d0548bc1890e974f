import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CmdletContext, CmdletError, cmdletCatalogue } from '../../src/cmdlets/index.ts';
import { Bench, defaultConnector, type Given } from './lib/bench.ts';
import { FakeTransport } from './lib/fake-transport.ts';

/** Bound parameters that remember which of them were looked at by name. */
class Watched extends Map<string, unknown> {
  readonly seen = new Set<string>();
  override get(name: string): unknown {
    this.seen.add(name);
    return super.get(name);
  }
  override has(name: string): boolean {
    this.seen.add(name);
    return super.has(name);
  }
}

const right = { Identity: defaultConnector, User: 'S-1-5-7', ExtendedRights: 'ms-Exch-SMTP-Submit' };
/** What a cmdlet needs beside the parameter that is looked at. */
const needed: Readonly<Record<string, Given>> = {
  'Get-ADPermission': { Identity: defaultConnector },
  'Add-ADPermission': right,
  'Remove-ADPermission': right,
  'Suspend-Queue': { Identity: '3' },
  'Resume-Queue': { Identity: '3' },
  'Retry-Queue': { Identity: '3' },
  'Suspend-Message': { Identity: '3\\11' },
  'Resume-Message': { Identity: '3\\11' },
  'Remove-Message': { Identity: '3\\11' },
  'Export-Message': { Identity: '3\\11' },
  'Redirect-Message': { Server: 'EDGE1', Target: 'a.example' },
  'Write-AdminAuditLog': { Comment: 'x' },
};

// What New- and Set- do with properties is held by the table of all properties.
const cmdlets = cmdletCatalogue().all.filter(
  ({ name, notImplementedYet }) =>
    notImplementedYet !== true && !/^(?:New|Set)-/.test(name) && name !== 'ConfigureAdam.ps1',
);

describe('every parameter of a built cmdlet is acted on or refused', () => {
  for (const cmdlet of cmdlets) {
    for (const parameter of cmdlet.parameters) {
      if (parameter.notImplementedYet === true || /^(?:WhatIf|Confirm|DomainController)$/.test(parameter.name))
        continue;
      test(`${cmdlet.name} -${parameter.name}`, async () => {
        const bench = new Bench('edge', new FakeTransport());
        const own = needed[cmdlet.name] ?? {};
        const sample = parameter.isSwitch === true ? true : (parameter.allowed?.[0] ?? 'x');
        const bound = new Watched(Object.entries({ ...own, [parameter.name]: own[parameter.name] ?? sample }));
        const context: CmdletContext = {
          store: bench.store,
          role: 'EdgeTransport',
          serverName: 'EDGE1',
          transport: new FakeTransport(),
          auditTrail: bench.auditTrail,
          seal: (text) => `sealed:${text.length}`,
          trackingLog: bench.trackingLog,
          folders: bench.folders,
          warning: () => undefined,
          verbose: () => undefined,
          shouldProcess: async () => true,
          changed: () => undefined,
          signal: AbortSignal.timeout(60_000),
        };
        let refusal: unknown;
        try {
          await Array.fromAsync(cmdlet.run(context, bound));
        } catch (error) {
          refusal = error;
        }
        assert.ok(refusal instanceof CmdletError || bound.seen.has(parameter.name));
      });
    }
  }
});
