import {
  type BoundParameters,
  CmdletError,
  type CmdletHost,
  CmdletObject,
  type CmdletRequest,
  type CmdletRunner,
  fromWire,
  toWire,
} from '../../../src/cmdlets/index.ts';

const crossed = (value: unknown): unknown => fromWire(JSON.parse(JSON.stringify(toWire(value))));

/** Runs cmdlets as in another process: values and objects pass as JSON. */
export class WireRunner implements CmdletRunner {
  readonly #runner: CmdletRunner;

  constructor(runner: CmdletRunner) {
    this.#runner = runner;
  }

  async *run({ cmdlet, parameters, line }: CmdletRequest, host: CmdletHost): AsyncGenerator<CmdletObject> {
    const bound: BoundParameters = new Map([...parameters].map(([name, value]) => [name, crossed(value)]));
    try {
      for await (const object of this.#runner.run({ cmdlet, parameters: bound, line }, host)) {
        const value = crossed(object);
        if (!(value instanceof CmdletObject)) throw new TypeError('a cmdlet gave something that is no object');
        yield value;
      }
    } catch (error) {
      if (!(error instanceof CmdletError)) throw error;
      const { id, category, message, target } = error;
      throw new CmdletError(id, category, message, { target });
    }
  }
}
