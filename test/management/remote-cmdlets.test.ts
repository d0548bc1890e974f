/** Cmdlets over the management endpoint: the caller's side and the service's, with JSON between them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import {
  type AuditEntry,
  type BoundParameters,
  type Cmdlet,
  type CmdletContext,
  CmdletError,
  type CmdletHost,
  CmdletObject,
  cmdletCatalogue,
  LocalCmdletRunner,
  type Operation,
  SecureString,
} from '../../src/cmdlets/index.ts';
import { Quantity } from '../../src/config/index.ts';
import type { MethodCaller } from '../../src/management/client/index.ts';
import { RemoteCmdletRunner } from '../../src/management/cmdlet-client/index.ts';
import { describedCmdlets } from '../../src/management/descriptions/index.ts';
import { cmdletMethods, type ManagementMethod } from '../../src/management/index.ts';

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

/** Calls methods of this process as over a socket. */
class Loopback implements MethodCaller {
  readonly isClosed = false;
  readonly #methods: Readonly<Record<string, ManagementMethod>>;

  constructor(methods: Readonly<Record<string, ManagementMethod>>) {
    this.#methods = methods;
  }

  call(method: string, params: unknown, onPart: (part: unknown) => void = () => undefined): Promise<unknown> {
    return this.callUntil(new AbortController().signal, method, params, onPart);
  }

  async callUntil(
    signal: AbortSignal,
    method: string,
    params: unknown,
    onPart: (part: unknown) => void,
  ): Promise<unknown> {
    const answer = this.#methods[method]?.(json(params), signal, { uid: 7, name: 'anne' }) ?? assert.fail(method);
    for (;;) {
      const { done, value } = await answer.next();
      if (done === true) return json(value);
      onPart(json(value));
    }
  }
}

type Run = (context: CmdletContext, bound: BoundParameters) => AsyncIterable<CmdletObject>;

/** A service with one cmdlet, Set-Thing, and a caller of it. */
function service(run: Run) {
  const audited: (AuditEntry & { account: string })[] = [];
  const faults: unknown[] = [];
  const cmdlet: Cmdlet = {
    name: 'Set-Thing',
    synopsis: '',
    parameters: [
      { name: 'Identity', type: 'String', mandatory: true, aliases: ['Id'] },
      { name: 'Value', type: 'Object' },
      { name: 'Size', type: 'Int32', check: (value) => (Number(value) > 9 ? 'it is too large' : undefined) },
      { name: 'Credential', type: 'PSCredential' },
    ],
    supportsShouldProcess: true,
    examples: [],
    run,
  };
  const catalogue = {
    all: [cmdlet],
    find: (name: string) => (/^set-thing$/i.test(name) ? cmdlet : undefined),
    views: new Map([['Thing', { kind: 'table', columns: ['Identity'] }]] as const),
  };
  const unused = (): never => assert.fail('not used here');
  const environment = {
    store: { configurationDn: '', search: unused, add: unused, modify: unused, together: unused, delete: unused },
    role: 'EdgeTransport' as const,
    serverName: 'EDGE1',
    transport: undefined,
    auditTrail: { search: unused },
    seal: (text: string) => `sealed:${text.length}`,
    trackingLog: { search: unused },
    folders: { refusal: () => Promise.resolve(undefined) },
  };
  const methods = cmdletMethods({ serverName: 'EDGE1', role: 'EdgeTransport' }, () => ({
    descriptions: catalogue,
    runnerFor: (account) =>
      new LocalCmdletRunner(catalogue, environment, {
        audited: (entry) => void audited.push({ ...entry, account }),
        fault: (error) => void faults.push(error),
      }),
  }));
  const caller = new Loopback(methods);
  return { audited, faults, caller, runner: new RemoteCmdletRunner(() => Promise.resolve(caller)) };
}

interface Heard {
  readonly host: CmdletHost;
  readonly asked: Operation[];
  readonly told: string[];
}

function hostWith(answer: (operation: Operation) => boolean = () => true, signal?: AbortSignal): Heard {
  const asked: Operation[] = [];
  const told: string[] = [];
  const host: CmdletHost = {
    warning: (text) => void told.push(text),
    verbose: (text) => void told.push(text),
    shouldProcess: async (operation) => {
      asked.push(operation);
      return answer(operation);
    },
    signal: signal ?? new AbortController().signal,
  };
  return { host, asked, told };
}

const call = (...parameters: readonly (readonly [string, unknown])[]) => ({
  cmdlet: 'set-thing',
  parameters: new Map<string, unknown>([['Identity', 'x'], ...parameters]),
  line: 'Set-Thing x',
});

test('objects keep their types and members, whatever their values are', async () => {
  const values: readonly (readonly [string, unknown])[] = [
    ['Text', 'a\u2028b'],
    ['Number', 1.5],
    ['Unlimited', Infinity],
    ['Nothing', null],
    ['Yes', true],
    ['When', new Date(12_345)],
    ['Size', Quantity.bytes(36 * 1024 ** 2)],
    ['NoLimit', Quantity.count(Infinity)],
    ['Bytes', Buffer.from([0, 255])],
    ['List', ['a', 2, ['b']]],
    ['Inner', new CmdletObject('Part', [['Name', 'p']])],
    ['__proto__', 'own'],
  ];
  const { runner } = service(async function* () {
    yield new CmdletObject('Thing', values);
  });
  const [object, ...others] = await Array.fromAsync(runner.run(call(), hostWith().host));
  assert.equal(others.length, 0);
  assert.equal(object?.typeName, 'Thing');
  assert.deepEqual(object?.entries(), values);
  assert.equal(String(object?.get('size')), '36 MB (37,748,736 bytes)');
});

test('parameters arrive as the cmdlet reads them: tables, objects, secrets', async () => {
  let read: BoundParameters = new Map();
  const { runner, audited } = service(async function* (context, bound) {
    read = bound;
    context.changed({ object: 'x', dn: '', properties: [] });
    yield* [];
  });
  const table = { keys: () => ['Add'], has: () => true, get: () => ['a', 'b'] };
  const secret = new CmdletObject('PSCredential', [['Password', new SecureString('hunter2')]]);
  await Array.fromAsync(runner.run(call(['Value', table], ['Credential', secret]), hostWith().host));
  const value = read.get('Value') as { get(key: string): unknown; keys(): unknown[] };
  assert.deepEqual([value.keys(), value.get('aDD')], [['Add'], ['a', 'b']]);
  const password = (read.get('Credential') as CmdletObject).get('Password');
  assert.ok(password instanceof SecureString && password.reveal() === 'hunter2');
  assert.equal(`${String(password)} ${JSON.stringify(password)}`.includes('hunter2'), false);
  assert.deepEqual(
    audited.map(({ account, line, parameters }) => [account, line, parameters.map((one) => one.value)]),
    [['anne', 'Set-Thing x', ['x', '@{Add=a, b}', '********']]],
  );
});

test('a call is checked in the service, whoever makes it', async () => {
  const { runner } = service(async function* () {
    yield* [];
  });
  const cases = [
    [{ ...call(), cmdlet: 'Set-Nothing' }, 'CommandNotFoundException'],
    [call(['Valeu', 1]), 'NamedParameterNotFound'],
    [call(['Size', 10]), 'ParameterArgumentTransformationError'],
    [call(['Id', 'y']), 'ParameterAlreadyBound'],
    [{ ...call(), parameters: new Map() }, 'MissingMandatoryParameter'],
  ] as const;
  for (const [request, id] of cases) {
    await assert.rejects(Array.fromAsync(runner.run(request, hostWith().host)), (error) => {
      return error instanceof CmdletError && error.id === id;
    });
  }
});

test('questions and warnings reach the caller, in order with the objects', async () => {
  const { runner } = service(async function* (context) {
    context.warning('first');
    yield new CmdletObject('Thing', [['Name', 'a']]);
    if (await context.shouldProcess({ action: 'Removing', target: 'a', impact: 'High' })) assert.fail('it was refused');
    context.verbose('last');
  });
  const { host, asked, told } = hostWith(() => false);
  for await (const object of runner.run(call(), host)) told.push(String(object));
  assert.deepEqual(told, ['first', 'a', 'last']);
  assert.deepEqual(asked, [{ action: 'Removing', target: 'a', impact: 'High' }]);
});

test('who is not there to answer ends the cmdlet with the own error, and that is no fault of the service', async () => {
  const { runner, faults, audited } = service(async function* (context) {
    await context.shouldProcess({ action: 'Removing', target: 'a', impact: 'High' });
    yield* [];
  });
  const nobody = new Error('nobody is there');
  const { host } = hostWith(() => {
    throw nobody;
  });
  await assert.rejects(Array.fromAsync(runner.run(call(), host)), nobody);
  while (audited.length === 0) await setTimeout(1);
  assert.deepEqual([audited.map(({ succeeded }) => succeeded), faults], [[false], []]);
});

test('a refusal keeps its id; what nobody foresaw is reported where it happened', async () => {
  const refusing = service(async function* () {
    yield* [];
    throw new CmdletError('SomeException', 'ObjectNotFound', 'no such thing', { target: 'x' });
  });
  await assert.rejects(Array.fromAsync(refusing.runner.run(call(), hostWith().host)), {
    name: 'CmdletError',
    id: 'SomeException',
    category: 'ObjectNotFound',
    target: 'x',
    message: 'no such thing',
  });
  const failing = service(async function* () {
    yield* [];
    throw new TypeError('a bug');
  });
  await assert.rejects(Array.fromAsync(failing.runner.run(call(), hostWith().host)), /a bug/);
  assert.equal(failing.faults.length, 1);
});

test('what the caller does not read is not made, and who stops reading ends the cmdlet', async () => {
  let made = 0;
  let ended = false;
  const { runner } = service(async function* () {
    try {
      for (; made < 10_000; made++) yield new CmdletObject('Thing', [['Name', String(made)]]);
    } finally {
      ended = true;
    }
  });
  let read = 0;
  for await (const _ of runner.run(call(), hostWith().host)) {
    await setTimeout(0);
    if (++read === 200) break;
  }
  while (!ended) await setTimeout(1);
  assert.ok(made < 1000, `${made} objects were made for 200 that were read`);
  const all = service(async function* () {
    for (let i = 0; i < 1000; i++) yield new CmdletObject('Thing', [['Name', String(i)]]);
  });
  let nested = 0;
  for await (const _ of all.runner.run(call(), hostWith().host)) {
    for await (const __ of all.runner.run(call(), hostWith().host)) nested += 1;
    if (nested === 5000) break;
  }
  assert.equal(nested, 5000, 'a pipeline of cmdlets runs over one connection');
});

test('Ctrl-C ends a cmdlet that waits, at once for the caller', async () => {
  const { runner } = service(async function* (context) {
    await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
    yield* [];
  });
  const stop = new AbortController();
  const { host } = hostWith(undefined, stop.signal);
  const work = Array.fromAsync(runner.run(call(), host));
  stop.abort(new Error('stopped'));
  await assert.rejects(work, /stopped/);
});

test('a service that was broken into gets no file and no other deed out of its caller', async () => {
  const parts = [
    { kind: 'task', token: 1, task: { task: 'read', path: '/etc/shadow' } },
    { kind: 'task', token: 1, task: { task: 'write', path: '/tmp/x', content: '', append: false } },
    { kind: 'toString', text: 'x' },
    { kind: 'object', value: { object: ['Thing', [['Name', { file: '/etc/shadow' }]]] } },
    { kind: 'object', value: 'no object' },
  ];
  for (const part of parts) {
    const sent: string[] = [];
    const evil: MethodCaller = {
      isClosed: false,
      call: async (method) => void sent.push(method),
      callUntil: async (_signal, method, _params, onPart) => {
        sent.push(method);
        onPart(part);
        return {};
      },
    };
    const runner = new RemoteCmdletRunner(() => Promise.resolve(evil));
    await assert.rejects(Array.fromAsync(runner.run(call(), hostWith().host)));
    assert.deepEqual(sent, ['cmdlet'], 'nothing is answered');
  }
});

test('what there is to call is described without what calls it, and values are judged by the cmdlets of this program', async () => {
  const { caller } = service(() => assert.fail('nothing is called'));
  const { all, views } = await describedCmdlets(() => Promise.resolve(caller));
  const [thing, ...others] = all;
  assert.deepEqual(others, []);
  assert.equal(thing?.name, 'Set-Thing');
  assert.deepEqual(thing?.parameters[0], { name: 'Identity', type: 'String', mandatory: true, aliases: ['Id'] });
  assert.equal('run' in thing, false);
  assert.deepEqual(views.get('Thing'), { kind: 'table', columns: ['Identity'] });
  // This program knows no such cmdlet: only where it runs can its values be judged.
  const size = thing?.parameters.find(({ name }) => name === 'Size');
  await size?.ready?.();
  assert.equal(size?.check?.(10), undefined);
});

test('a value that this program knows to be wrong is refused before it is sent', async () => {
  const caller = new Loopback(
    cmdletMethods({ serverName: 'EDGE1', role: 'EdgeTransport' }, () => ({
      descriptions: cmdletCatalogue(),
      runnerFor: () => assert.fail('nothing is run'),
    })),
  );
  const { all } = await describedCmdlets(() => Promise.resolve(caller));
  assert.equal(all.length, cmdletCatalogue().all.length);
  const parameter = all
    .find(({ name }) => name === 'Set-ReceiveConnector')
    ?.parameters.find(({ name }) => name === 'MaxMessageSize');
  await parameter?.ready?.();
  assert.match(parameter?.check?.('nonsense') ?? '', /nonsense/);
  assert.equal(parameter?.check?.('25MB'), undefined);
});

test('descriptions that no service gives are refused', async () => {
  const answer = {
    cmdlets: [{ name: 'Get-Thing', synopsis: 7, parameters: [], supportsShouldProcess: false, examples: [] }],
    views: [],
  };
  const caller = new Loopback({
    cmdlets: async function* () {
      return answer;
    },
  });
  await assert.rejects(
    describedCmdlets(() => Promise.resolve(caller)),
    { message: /cmdlets\[0\]\.synopsis is not text/ },
  );
});
