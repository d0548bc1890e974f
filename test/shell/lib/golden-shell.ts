import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  cmdletCatalogue,
  LocalCmdletRunner,
  type TrackingRecord,
  type TransportAdministration,
} from '../../../src/cmdlets/index.ts';
import { DirectoryStore, seed } from '../../../src/directory/index.ts';
import type { TrackingQuestion } from '../../../src/logs/index.ts';
import { DirectConfigurationStore } from '../../../src/management/store-process/direct-configuration-store.ts';
import { Shell, type ShellOutput } from '../../../src/shell/index.ts';
import { FakeTransport } from '../../cmdlets/lib/fake-transport.ts';
import { configurationDn, placeholders } from '../../config/lib/seeded.ts';
import { HandClock } from '../../directory-store/store-for-test.ts';
import { productSchema } from '../../ldap/schema-of-the-product.ts';
import { answering, MemoryFiles } from './test-shell.ts';
import { WireRunner } from './wire-runner.ts';

/** Queues and messages made up, and two lines of a tracking log. */
class GoldenTransport extends FakeTransport implements TransportAdministration {
  override async *tracking(query: TrackingQuestion): AsyncGenerator<never> {
    for (const [EventId, Source, day] of [
      ['RECEIVE', 'SMTP', 1],
      ['SEND', 'SMTP', 1],
      ['FAIL', 'DNS', 2],
    ] as const) {
      if (query.eventId !== undefined && query.eventId.toUpperCase() !== EventId) continue;
      const record: TrackingRecord = [
        ['Timestamp', new Date(Date.UTC(2026, 0, day, 9, 30))],
        ['EventId', EventId],
        ['Source', Source],
        ['Sender', 'a@example.com'],
        ['Recipients', ['b@example.org', 'c@example.org']],
        ['MessageSubject', 'Hello'],
        ['MessageId', '<1@example.com>'],
      ];
      yield record as never;
    }
  }
}

const seedFolder = (part: string): string => fileURLToPath(new URL(`../../../ldap/seed/${part}`, import.meta.url));

/** The product's cmdlets on a new Edge server's directory, at 03:04:05 of 2 January 2026. Queues and messages are made up. */
export class GoldenShell implements AsyncDisposable {
  readonly #path: string;
  readonly #store: DirectoryStore;
  readonly #shell: Shell;
  readonly #files = new MemoryFiles();

  private constructor(path: string, store: DirectoryStore, clock: HandClock) {
    this.#path = path;
    this.#store = store;
    const transport = new GoldenTransport();
    const environment = {
      store: new DirectConfigurationStore(store, configurationDn),
      role: 'EdgeTransport' as const,
      serverName: 'EDGE1',
      transport,
      auditTrail: { search: async function* () {} },
      seal: (text: string) => `sealed:${text.length}`,
      trackingLog: { search: (query: TrackingQuestion) => transport.tracking(query) },
      folders: { refusal: () => Promise.resolve(undefined) },
    };
    const cmdlets = cmdletCatalogue();
    this.#shell = new Shell({
      cmdlets,
      // What passes between the processes of a shell and a service passes here, too.
      runner: new WireRunner(new LocalCmdletRunner(cmdlets, environment, { audited: () => undefined })),
      files: this.#files,
      now: () => clock.now(),
      variables: new Map([['COMPUTERNAME', 'EDGE1']]),
    });
  }

  static async open(): Promise<GoldenShell> {
    const path = await mkdtemp(join(tmpdir(), 'edge-golden-'));
    const clock = new HandClock();
    const store = await DirectoryStore.open({ path, schema: productSchema(), clock });
    for (const part of ['common', 'edge']) await seed(store, seedFolder(part), placeholders);
    return new GoldenShell(path, store, clock);
  }

  /** Everything that a line prints, in order. Ids that the directory made are shown as `<guid>`. */
  async run(text: string, { width = 120, answers = [] as readonly string[] } = {}): Promise<string> {
    let printed = '';
    const show = (piece: ShellOutput): void => {
      if (piece.kind !== 'end' && piece.kind !== 'progress') printed += piece.text;
    };
    const { ask, asked } = answering(...answers);
    const asking = answers.length === 0 ? {} : { ask };
    for await (const piece of this.#shell.run(text, { width, colour: false, ...asking })) show(piece);
    if (asked.length !== answers.length)
      throw new Error(`asked ${asked.length} times, ${answers.length} answers given`);
    return printed.replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => (/^0{8}-/.test(id) ? id : '<guid>'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store.close();
    await rm(this.#path, { recursive: true, force: true });
  }
}
