import { renderText } from '../../format/output.ts';
import type { Redirection } from '../../language/ast.ts';
import { fileError } from '../../values/file-error.ts';
import { toText } from '../../values/text.ts';
import type { Context } from '../state/context.ts';
import { evaluate } from '../state/engine.ts';
import { diverted, type SideStream } from '../state/streams.ts';

/** Where one redirection puts what it takes. */
interface Sink {
  readonly redirection: Redirection;
  readonly items: unknown[];
}

const allSideStreams: readonly SideStream[] = ['2', '3', '4', '6'];

/** What the redirections of one stage do: side streams go into the output, into files or nowhere. */
export class Redirected {
  /** What the stage is to run in. */
  readonly context: Context;
  readonly #outer: Context;
  readonly #merged: unknown[] = [];
  readonly #files: Sink[] = [];
  readonly #output: Redirection | undefined;

  constructor(redirections: readonly Redirection[], context: Context) {
    this.#outer = context;
    this.#output = redirections.find(
      ({ stream, target }) => (stream === '1' || stream === '*') && target !== undefined,
    );
    const to = new Map<SideStream, (item: unknown) => void>();
    for (const redirection of redirections) {
      const sink = this.#sinkOf(redirection);
      const { stream } = redirection;
      const taken = stream === '*' ? allSideStreams : allSideStreams.filter((one) => one === stream);
      for (const one of taken)
        to.set(one, (item) => void sink.push(one === '6' ? toText(item).replace(/\n$/, '') : item));
    }
    this.context = to.size === 0 ? context : { ...context, streams: diverted(context.streams, to) };
  }

  #sinkOf(redirection: Redirection): unknown[] {
    if (redirection.target === undefined || redirection === this.#output) return this.#merged;
    const items: unknown[] = [];
    this.#files.push({ redirection, items });
    return items;
  }

  /** The stage's output as its redirections leave it. */
  async *around(output: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    const all = this.#withMerged(output);
    if (this.#output === undefined) yield* all;
    else await this.#write(this.#output, all);
    for (const { redirection, items } of this.#files) await this.#write(redirection, listed(items));
  }

  async *#withMerged(output: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    for await (const value of output) {
      yield* this.#merged.splice(0);
      yield value;
    }
    yield* this.#merged.splice(0);
  }

  /** Objects as text; `$null` takes them away. */
  async #write({ target, append }: Redirection, objects: AsyncIterable<unknown>): Promise<void> {
    const path = target === undefined ? null : await evaluate(target, this.#outer);
    const { session, render } = this.#outer;
    let text = '';
    for await (const chunk of renderText(objects, { ...render, colour: false })) text += chunk;
    if (path === null || path === undefined) return;
    const file = toText(path);
    await session.files.write(file, Buffer.from(text), append).catch((cause: unknown) => {
      throw fileError(file, cause, 'WriteError');
    });
  }
}

async function* listed(items: readonly unknown[]): AsyncGenerator<unknown> {
  yield* items;
}
